import { pairOf, type RotationContext, RotationError } from "@quarterturn/core";
import {
  adminLogin,
  databaseSettings,
  type Login,
  type PairState,
  type ServerDirectory,
  whereOf,
} from "@quarterturn/database";
import type { Context } from "../context.ts";
import { rotationContext } from "../login.ts";
import { describe, type Secret } from "../secret.ts";
import type { Database } from "./secret-value.ts";
import { type Seen, seen, type Unseen, whyUnseen } from "./seen.ts";

/** The admin of the multi-user strategy. */
export interface Admin {
  /** Its secret. */
  readonly secret: Seen<Secret>;
  /** Whether the function has to ask AWS's own API which server the admin's secret is for, or whether it is the secret's. */
  readonly asksForServers: boolean | "not known";
  /** What became of a login with it; absent where the function would come to one, and the database was not reached. */
  readonly login?: Seen<
    | RotationError
    | { readonly is: "rejected"; readonly where: string }
    | { readonly is: "accepted"; readonly where: string; readonly pair: PairState }
  >;
}

/**
 * Finds the admin as the function would, logs in and looks at the two users.
 *
 * @param settings the function's
 */
export async function lookAtAdmin(
  context: Context,
  secret: Secret,
  { product, value }: Database,
  adminSecretId: string,
  settings: Readonly<Record<string, string>>,
  isReached: boolean,
): Promise<Admin> {
  let asksForServers: Admin["asksForServers"] = false;
  const asking = (directory: ServerDirectory): ServerDirectory => ({
    ...directory,
    managedServer(...given) {
      asksForServers = true;
      return directory.managedServer(...given);
    },
    isSameDatabase(...given) {
      asksForServers = true;
      return directory.isSameDatabase(...given);
    },
  });

  /** As the function finds it. What this machine's own credentials may not ask, or get no answer to, the function's role may. */
  async function findLogin(rotation: RotationContext): Promise<Login | Unseen> {
    const { ALLOWED_HOSTS, SUPERUSER_SECRET_ARN } = settings;
    const { manifest } = product;
    const asked = databaseSettings({ ALLOWED_HOSTS, SUPERUSER_SECRET_ARN }, manifest);
    try {
      return await adminLogin(value, value, manifest, asking(await product.loadDirectory()), asked, rotation);
    } catch (error) {
      if (!(error instanceof RotationError)) {
        asksForServers ||= "not known";
        return whyUnseen(context, error);
      }
      if (!["privilege", "timeout", "service"].includes(error.code)) throw error;
      return { is: "unseen", why: context.redactor.redact(error.what) };
    }
  }

  async function logIn(): Promise<Admin["login"]> {
    try {
      const rotation = rotationContext(context, secret);
      const admin = await findLogin(rotation);
      if ("is" in admin) return admin;
      if (!isReached) return undefined;
      const where = whereOf(admin);
      const engine = await product.load();
      const { dbname } = engine.hasRightsPerDatabase ? value : admin;
      const session = await engine.login({ ...admin, ...(dbname === undefined ? {} : { dbname }) }, rotation);
      if (session === "rejected") return seen({ is: session, where });
      try {
        await session.requireWriter?.();
        const pair = await session.inspectPair({ ...pairOf(value.username), userKeys: value.userKeys });
        return seen({ is: "accepted", where, pair });
      } finally {
        await session.close();
      }
    } catch (error) {
      if (error instanceof RotationError) return seen(error);
      return whyUnseen(context, error);
    }
  }

  const login = await logIn();
  return {
    secret: await describe(context, adminSecretId).then(seen, (error) => whyUnseen(context, error)),
    asksForServers,
    ...(login && { login }),
  };
}
