import {
  type Deadline,
  jsonFormat,
  type Manifest,
  type RotationContext,
  RotationError,
  readSecretValue,
} from "@quarterturn/core";
import type { Login } from "./engine.ts";
import { adminSecretSchema, type DatabaseSecret } from "./secret.ts";
import type { Server, ServerDirectory } from "./server-directory.ts";
import type { DatabaseSettings } from "./settings.ts";
import { addressOf, isSameServer } from "./target.ts";
import { tlsPolicy } from "./tls.ts";

/** What `adminLogin` calls Secrets Manager for, with an admin secret: the tags of one that its database manages say which server that is. */
export const adminSecretOperations = ["DescribeSecret", "GetSecretValue"] as const;

/**
 * The login of the admin who acts for a secret, at a server that is known to be the secret's own.
 *
 * @throws RotationError `bad-secret` where there is no admin secret or it cannot be used, `wrong-target` where it is for another server
 */
export async function adminLogin(
  current: DatabaseSecret,
  pending: DatabaseSecret,
  manifest: Manifest,
  directory: ServerDirectory,
  settings: DatabaseSettings,
  context: RotationContext,
): Promise<Login> {
  if (current.masterarn !== pending.masterarn) {
    throw new RotationError(
      "wrong-target",
      "The pending version and AWSCURRENT name different admin secrets (masterarn)",
      "This try changed nothing. Store AWSCURRENT's value anew with PutSecretValue, which ends this rotation; then start a new one.",
    );
  }
  const arn = current.masterarn ?? settings.superuserSecretArn;
  if (arn === undefined) {
    throw new RotationError(
      "bad-secret",
      "The secret names no admin secret",
      'This try changed nothing. Put the ARN of the admin\'s secret into the secret under "masterarn", or set SUPERUSER_SECRET_ARN for the function.',
    );
  }
  const text = await context.readSecret(arn);
  const admin = await readSecretValue(text, `the admin secret ${arn}`, adminSecretSchema(manifest), jsonFormat);
  const server =
    admin.host === undefined
      ? await directory.managedServer(arn, (await context.describeSecret(arn)).tags, context.deadline)
      : { host: admin.host, port: admin.port ?? manifest.port };
  await requireSecretsServer(current, server, settings.allowedHosts, directory, context.deadline);
  const dbname = admin.dbname ?? manifest.dbname;
  return {
    ...server,
    username: admin.username,
    password: admin.password,
    userKeys: admin.userKeys,
    tls: tlsPolicy(admin),
    secretArn: arn,
    ...(dbname === undefined ? {} : { dbname }),
  };
}

/**
 * The confused-deputy guard: the secret's host is the admin's, or the function's operator or AWS's own API says that it belongs to it.
 *
 * @throws RotationError `wrong-target`
 */
async function requireSecretsServer(
  secret: Server,
  admin: Server,
  allowedHosts: readonly string[],
  directory: ServerDirectory,
  deadline: Deadline,
): Promise<void> {
  if (isSameServer(secret, admin) || allowedHosts.includes(secret.host.toLowerCase())) return;
  if (directory.knows(secret.host) && directory.knows(admin.host) && secret.port === admin.port) {
    if (await directory.isSameDatabase(secret.host, admin.host, deadline)) return;
  }
  throw new RotationError(
    "wrong-target",
    `The secret's server ${addressOf(secret)} is not the admin secret's (${addressOf(admin)}), nor a replica or endpoint of it`,
    "This try changed nothing. Correct the host of one of the two secrets; if both names mean the same database (a CNAME, a proxy), list the secret's host in ALLOWED_HOSTS of the function.",
  );
}
