import { AWSPENDING, type LabelChange, pairOf, RotationError } from "@quarterturn/core";
import { addressOf, adminLogin, databaseSettings, type Session, whereOf } from "@quarterturn/database";
import { lookAgain } from "./as-seen.ts";
import { type Context, uninterrupted } from "./context.ts";
import { keepsOldPasswords } from "./engines.ts";
import { after, asFailure, Failure } from "./failure.ts";
import { changeLabels, doneOf, planOf } from "./label-changes.ts";
import { type DatabaseVersion, rotationContext, tryLogin, wordsOf } from "./login.ts";
import { requireYes } from "./prompt.ts";
import type { Secret } from "./secret.ts";

/** The option of the commands that set passwords. */
export const adminSecretOption = [
  "--admin-secret <ARN>",
  "the admin's secret, where the secret names none (masterarn)",
] as const;

interface Flags {
  readonly adminSecret?: string;
  readonly yes?: boolean;
}

/** A version whose user is to have its password again. */
export interface Restored extends DatabaseVersion {
  readonly id: string;
  /** By which it is known to the operator. */
  readonly label: string;
}

/**
 * Sets, after a yes and as the admin, the password that a version of the secret has for its user, and logs in with it. The guard of the
 * multi-user strategy holds: the admin acts at its own server only, which the secret's must be; and never for itself.
 *
 * @param changes of labels: AWSPENDING is moved before the password is set, since its rotation may be tried again, and AWSCURRENT after
 * @param seen the beginning of the plan
 * @throws Failure that says what was changed
 */
export async function restorePassword(
  context: Context,
  secret: Secret,
  version: Restored,
  changes: readonly LabelChange[],
  seen: readonly string[],
  flags: Flags,
): Promise<void> {
  const { product, value, label } = version;
  const admin = flags.adminSecret ?? value.masterarn;
  if (admin === undefined) {
    throw new Failure(
      "refused",
      `"${secret.name}" names no admin secret (masterarn), so nobody is known who could set the password of "${value.username}"`,
      "Run the same command again with --admin-secret ARN.",
    );
  }
  const ofOthers = keepsOldPasswords(product)
    ? `another one may go on to log in beside it, which ${context.next("discard-old", secret.id)} ends`
    : "whoever uses another one is refused from then on";
  const plan = `The password of "${value.username}" at ${addressOf(value)} is set to that of ${label}: ${ofOthers}`;
  const [before, afterwards] = [changes.filter(isPending), changes.filter((change) => !isPending(change))];
  await requireYes(
    context,
    [...seen, ...before.map(planOf), plan, ...afterwards.map(planOf)],
    `Set the password of ${value.username}?`,
    flags,
  );
  const session = await adminSession(context, secret, version, admin);
  using here = uninterrupted(context);
  try {
    await lookAgain(context, secret, `No password of "${value.username}" was set`, () =>
      requireRefused(context, secret, version),
    );
    await changeLabels(here, secret, before);
    await after(before.map(doneOf).join(". "), () => set(here, secret, version, session));
  } finally {
    await session.close();
  }
  const done = [...before.map(doneOf), `The password of "${value.username}" was set to that of version ${version.id}`];
  await after(
    `${done.join(". ")}, which may not be AWSCURRENT yet`,
    () => changeLabels(here, secret, afterwards),
    `Make it so: ${context.next("stage", secret.id, "AWSCURRENT", version.id)}; or see which version logs in: ${context.next("recover", secret.id)}`,
  );
}

const isPending = ({ label }: LabelChange) => label === AWSPENDING;

/** @throws Failure where there is no reason to set its password any more, or nobody can say */
async function requireRefused(context: Context, secret: Secret, version: Restored): Promise<void> {
  const verdict = await tryLogin(context, secret, version);
  if (verdict.is === "refused") return;
  throw new Failure(
    "refused",
    `No password was set: ${version.label} ${wordsOf(verdict)} now`,
    `See how the secret is: ${context.next("status", secret.id)}; then run the same command again.`,
  );
}

/** @throws Failure where there is none for this user and server */
async function adminSession(
  context: Context,
  secret: Secret,
  { product, value }: DatabaseVersion,
  adminSecret: string,
): Promise<Session> {
  const rotation = rotationContext(context, secret);
  const account = { ...value, masterarn: adminSecret };
  const { manifest } = product;
  const directory = await product.loadDirectory();
  const refuse = (what: string, cause?: unknown) =>
    new Failure(
      "refused",
      what,
      "No password was set. Name another admin's secret, one of this server: --admin-secret ARN.",
      {
        cause,
      },
    );
  const admin = await adminLogin(account, account, manifest, directory, databaseSettings({}, manifest), rotation).catch(
    (error) => {
      throw error instanceof RotationError ? refuse(error.what, error) : error;
    },
  );
  // Some servers make no difference between capital and small letters.
  const pair = ({ username }: { readonly username: string }) => pairOf(username).original.toLowerCase();
  if (pair(admin) === pair(value))
    throw refuse(`"${value.username}" is the admin of ${adminSecret} itself, or its twin`);
  const session = await (await product.load()).login(admin, rotation);
  if (session === "rejected") throw refuse(`The database refuses the admin ${whereOf(admin)}`);
  return session;
}

/** @throws Failure that says whether the password was set */
async function set(context: Context, secret: Secret, version: Restored, session: Session): Promise<void> {
  const { value, id } = version;
  const failure = await session.restorePassword(value, value.password).then(() => undefined, asFailure);
  // An answer that was lost says nothing; the login does.
  const verdict = await tryLogin(context, secret, version);
  if (verdict.is === "accepted") return;
  if (failure && verdict.is === "refused")
    throw new Failure(failure.ending, `${failure.what}; no password was set`, failure.next, { cause: failure });
  throw new Failure(
    "refused",
    failure
      ? `${failure.what}, and nobody can say whether the password of "${value.username}" was set to that of version ${id}, which ${wordsOf(verdict)}`
      : `The password of "${value.username}" was set to that of version ${id}, which ${wordsOf(verdict)}`,
    `See which version logs in: ${context.next("recover", secret.id)}`,
    { cause: failure },
  );
}
