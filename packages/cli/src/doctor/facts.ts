import type { KeyMetadata } from "@aws-sdk/client-kms";
import type { GetFunctionConfigurationCommandOutput } from "@aws-sdk/client-lambda";
import { RotationError, type Strategy } from "@quarterturn/core";
import { type Application, applicationOf } from "../applications.ts";
import type { Context } from "../context.ts";
import { describe, type Secret } from "../secret.ts";
import { type Admin, lookAtAdmin } from "./admin.ts";
import { readKey } from "./key.ts";
import { keyNeeds, roleNeeds } from "./needs.ts";
import { type Network, readNetwork } from "./network.ts";
import { placeOf } from "./place.ts";
import { nameOf, type RotationFunction, readFunction, settingsOf, usesDataApi } from "./rotation-function.ts";
import { type Database, readValue, type SecretValue } from "./secret-value.ts";
import type { Seen, Unseen } from "./seen.ts";
import { lookAtServer, type Server } from "./server.ts";
import { type Lacking, lackingOf } from "./simulation.ts";

/** Everything that the checks judge. What is absent was not to be had, since something that it hangs on was not. */
export interface Facts {
  readonly now: Date;
  /** The secret as it was asked about. */
  readonly id: string;
  readonly secret: Secret;
  readonly value: Seen<SecretValue>;
  /** The function's where it is one of the applications'; else multi-user where the secret or the function names an admin's secret. */
  readonly strategy: Strategy;
  /** The function's; absent where it is none of these, or not seen. */
  readonly application?: Application;
  readonly rotationFunction?: RotationFunction;
  /** The function's. */
  readonly role?: {
    readonly arn: string;
    readonly lacking: Seen<readonly Lacking[]>;
    /** What was not seen, so that it may need more than it was asked for. */
    readonly unseen: readonly string[];
  };
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
  const named = database?.value.masterarn ?? (settings.SUPERUSER_SECRET_ARN || undefined);
  const application = applicationOf(configuration?.Description ?? "");
  const strategy = application?.strategy ?? (named === undefined ? "single-user" : "multi-user");
  const adminSecretId = strategy === "multi-user" ? named : undefined;
  const isWrittenElsewhere = adminSecretId !== undefined || configuration === undefined;
  const isByApi = usesDataApi(rotationFunction);
  const isOfPair = strategy === "multi-user";
  const server = database && (await lookAtServer(context, secret, database, { isByApi, isWrittenElsewhere, isOfPair }));
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
  const role = configuration && (await readRole(context, secret, configuration, { value, strategy, admin, settings }));
  const key = await readOwnKey(context, secret, role?.arn);
  return {
    now: context.io.now(),
    id,
    secret,
    value,
    strategy,
    ...(application && { application }),
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
  { Role: arn, VpcConfig, LoggingConfig, State, Environment }: GetFunctionConfigurationCommandOutput,
  rotation: {
    readonly value: Facts["value"];
    readonly strategy: Strategy;
    readonly admin: Admin | undefined;
    readonly settings: Readonly<Record<string, string>>;
  },
): Promise<Facts["role"]> {
  if (arn === undefined) return undefined;
  const place = placeOf(secretArn);
  const { value, strategy, admin, settings } = rotation;
  const database = databaseOf({ value });
  const adminSecret = admin?.secret.is === "seen" ? admin.secret.it : undefined;
  const adminKey = adminSecret?.kmsKeyId === undefined ? undefined : await readKey(context, name, adminSecret.kmsKeyId);
  const needs = roleNeeds({
    place,
    secretArn,
    functionArn,
    isInVpc: Boolean(VpcConfig?.VpcId),
    logGroup: LoggingConfig?.LogGroup ?? `/aws/lambda/${nameOf(functionArn)}`,
    strategy,
    settings,
    asksForServers: asksForServers(strategy, admin),
    isActive: State === "Active",
    ...(adminSecret && { adminSecretArn: adminSecret.arn }),
    ...(database && { product: database.product, host: database.value.host }),
  });
  const ofAdminKey =
    adminSecret && adminKey?.is === "seen" && adminKey.it?.Arn !== undefined
      ? keyNeeds(place, adminKey.it.Arn, adminSecret.arn, "the admin secret's key")
      : [];
  const because = (found: Unseen) => `(${found.why})`;
  const unseen = [
    ...(database ? [] : [`the secret's value ${value.is === "unseen" ? because(value) : "(of no database)"}`]),
    ...(Environment?.Error
      ? [`the function's settings (${Environment.Error.Message ?? "Lambda cannot read them"})`]
      : []),
    ...(strategy === "multi-user" && !adminSecret
      ? [`the admin's secret${admin?.secret.is === "unseen" ? ` ${because(admin.secret)}` : ""}`]
      : []),
    ...(adminKey && ofAdminKey.length === 0
      ? [`the admin secret's key ${adminKey.is === "unseen" ? because(adminKey) : "(it does not exist)"}`]
      : []),
  ];
  return { arn, lacking: await lackingOf(context, name, arn, [...needs, ...ofAdminKey]), unseen };
}

/** Undefined where nobody can say: it came to nothing before AWS would be asked. */
function asksForServers(strategy: Strategy, admin: Admin | undefined): boolean | undefined {
  if (strategy === "single-user") return false;
  if (admin === undefined || admin.asksForServers === "not known") return undefined;
  if (admin.asksForServers) return true;
  const cameToNothing = admin.login?.is === "unseen" || admin.login?.it instanceof RotationError;
  return cameToNothing ? undefined : false;
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
