import type { KeyMetadata } from "@aws-sdk/client-kms";
import type { GetFunctionConfigurationCommandOutput } from "@aws-sdk/client-lambda";
import type { Strategy } from "@quarterturn/core";
import type { Context } from "../context.ts";
import { describe, type Secret } from "../secret.ts";
import { type Admin, lookAtAdmin } from "./admin.ts";
import { readKey } from "./key.ts";
import { keyNeeds, roleNeeds } from "./needs.ts";
import { type Network, readNetwork } from "./network.ts";
import { placeOf } from "./place.ts";
import { nameOf, type RotationFunction, readFunction, settingsOf, usesDataApi } from "./rotation-function.ts";
import { type Database, readValue, type SecretValue } from "./secret-value.ts";
import type { Seen } from "./seen.ts";
import { lookAtServer, type Server } from "./server.ts";
import { type Lacking, lackingOf } from "./simulation.ts";

/** Everything that the checks judge. What is absent was not to be had, since something that it hangs on was not. */
export interface Facts {
  readonly now: Date;
  /** The secret as it was asked about. */
  readonly id: string;
  readonly secret: Secret;
  readonly value: Seen<SecretValue>;
  /** Multi-user where the secret or its function names an admin's secret. */
  readonly strategy: Strategy;
  readonly rotationFunction?: RotationFunction;
  /** The function's. */
  readonly role?: { readonly arn: string; readonly lacking: Seen<readonly Lacking[]> };
  /** The function's; absent where it is in no VPC. */
  readonly network?: Seen<Network>;
  /** The database's, from this machine. */
  readonly server?: Server;
  /** Absent with the single-user strategy. */
  readonly admin?: Admin;
  /** The secret's own. */
  readonly key?: { readonly metadata: Seen<KeyMetadata | undefined>; readonly lacking?: Seen<readonly Lacking[]> };
  /** A command to run next, of this program or of the AWS CLI. */
  readonly next: Context["next"];
  readonly aws: Context["aws"];
  /** Without what is secret. */
  redact(text: string): string;
}

/** The database that the secret is for, where it is understood. */
export function databaseOf({ value }: Pick<Facts, "value">): Database | undefined {
  return value.is === "seen" && value.it.is === "database" ? value.it : undefined;
}

/** Reads and logs in, and changes nothing. @throws Failure where the secret cannot be described */
export async function gather(context: Context, id: string, onProgress: (what: string) => void): Promise<Facts> {
  const secret = await describe(context, id);
  const value = await readValue(context, secret);
  const database = databaseOf({ value });

  onProgress("its function");
  const { name, functionArn } = secret;
  const rotationFunction = functionArn === undefined ? undefined : await readFunction(context, name, functionArn);
  const settings = rotationFunction ? settingsOf(rotationFunction) : {};
  const configuration = rotationFunction?.configuration.is === "seen" ? rotationFunction.configuration.it : undefined;

  onProgress("its database");
  const adminSecretId = database?.value.masterarn ?? (settings.SUPERUSER_SECRET_ARN || undefined);
  const isWrittenElsewhere = adminSecretId !== undefined || configuration === undefined;
  const isByApi = usesDataApi(rotationFunction);
  const server = database && (await lookAtServer(context, secret, database, { isByApi, isWrittenElsewhere }));
  const isReached = server?.connection === "connected";
  const admin =
    database && adminSecretId !== undefined
      ? await lookAtAdmin(context, secret, database, adminSecretId, settings, isReached)
      : undefined;

  onProgress("its network");
  const addresses = Array.isArray(server?.addresses) ? server.addresses : [];
  const { VpcConfig: vpc } = configuration ?? {};
  const network = vpc?.VpcId ? await readNetwork(context, name, vpc, placeOf(secret.arn).region, addresses) : undefined;

  onProgress("its role");
  const role = configuration && (await readRole(context, secret, configuration, { database, admin, settings }));
  const key = await readOwnKey(context, secret, role?.arn);
  return {
    now: context.io.now(),
    id,
    secret,
    value,
    strategy: adminSecretId === undefined ? "single-user" : "multi-user",
    ...(rotationFunction && { rotationFunction }),
    ...(role && { role }),
    ...(network && { network }),
    ...(server && { server }),
    ...(admin && { admin }),
    ...(key && { key }),
    next: context.next,
    aws: context.aws,
    redact: context.redactor.redact,
  };
}

async function readRole(
  context: Context,
  { name, arn: secretArn, functionArn = "" }: Secret,
  { Role: arn, VpcConfig, LoggingConfig }: GetFunctionConfigurationCommandOutput,
  rotation: {
    readonly database: Database | undefined;
    readonly admin: Admin | undefined;
    readonly settings: Readonly<Record<string, string>>;
  },
): Promise<Facts["role"]> {
  if (arn === undefined) return undefined;
  const place = placeOf(secretArn);
  const { database, admin, settings } = rotation;
  const adminSecret = admin?.secret.is === "seen" ? admin.secret.it : undefined;
  const adminKey = adminSecret?.kmsKeyId === undefined ? undefined : await readKey(context, name, adminSecret.kmsKeyId);
  const needs = roleNeeds({
    place,
    secretArn,
    functionArn,
    isInVpc: Boolean(VpcConfig?.VpcId),
    logGroup: LoggingConfig?.LogGroup ?? `/aws/lambda/${nameOf(functionArn)}`,
    strategy: admin ? "multi-user" : "single-user",
    settings,
    asksForServers: admin?.asksForServers === true,
    ...(adminSecret && { adminSecretArn: adminSecret.arn }),
    ...(database && { product: database.product }),
  });
  const ofAdminKey =
    adminSecret && adminKey?.is === "seen" && adminKey.it?.Arn !== undefined
      ? keyNeeds(place, adminKey.it.Arn, adminSecret.arn, "the admin secret's key")
      : [];
  return { arn, lacking: await lackingOf(context, name, arn, [...needs, ...ofAdminKey]) };
}

async function readOwnKey(context: Context, { name, arn, kmsKeyId }: Secret, role?: string): Promise<Facts["key"]> {
  if (kmsKeyId === undefined) return undefined;
  const metadata = await readKey(context, name, kmsKeyId);
  const keyArn = metadata.is === "seen" ? metadata.it?.Arn : undefined;
  if (role === undefined || keyArn === undefined) return { metadata };
  return {
    metadata,
    lacking: await lackingOf(context, name, role, keyNeeds(placeOf(arn), keyArn, arn, "the key")),
  };
}
