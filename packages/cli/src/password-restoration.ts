import { RotationError } from "@quarterturn/core";
import { addressOf, adminLogin, databaseSettings, whereOf } from "@quarterturn/database";
import type { Context } from "./context.ts";
import { asFailure, Failure } from "./failure.ts";
import { type DatabaseVersion, rotationContext, tryLogin, wordsOf } from "./login.ts";
import type { Secret } from "./secret.ts";

/** The option of the commands that set passwords. */
export const adminSecretOption = [
  "--admin-secret <ARN>",
  "the admin's secret, where the secret names none (masterarn)",
] as const;

/** What the operator is to know beforehand. */
export const restorationPlan = ({ value }: DatabaseVersion, version: string): string =>
  `The password of "${value.username}" at ${addressOf(value)} is set to that of ${version}: whoever uses another one is refused from then on`;

/**
 * Sets, as the admin, the password that a version of the secret has for its user, and logs in with it. The guard of the multi-user strategy
 * holds: the admin acts at its own server only, which the secret's must be.
 *
 * @throws Failure that says whether the password was changed
 */
export async function restorePassword(
  context: Context,
  secret: Secret,
  version: DatabaseVersion,
  { adminSecret }: { readonly adminSecret?: string },
): Promise<void> {
  const { product, value } = version;
  const { manifest } = product;
  try {
    const engine = await product.load();
    const rotation = rotationContext(context, secret);
    const settings = databaseSettings(adminSecret === undefined ? {} : { SUPERUSER_SECRET_ARN: adminSecret }, manifest);
    const admin = await adminLogin(value, value, manifest, await product.loadDirectory(), settings, rotation);
    const session = await engine.login(admin, rotation);
    if (session === "rejected") {
      throw new RotationError(
        "credentials-rejected",
        `The database refuses the admin ${whereOf(admin)}`,
        "Nothing was changed. Correct the admin's secret.",
      );
    }
    try {
      await session.restorePassword(value, value.password);
    } finally {
      await session.close();
    }
  } catch (error) {
    throw asFailure(error);
  }
  const verdict = await tryLogin(context, secret, version);
  if (verdict.is === "accepted") return;
  throw new Failure(
    "refused",
    `The password of "${value.username}" was set, and the login with it ${wordsOf(verdict)}`,
    "See the database's log. No label was moved.",
  );
}
