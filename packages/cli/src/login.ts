import {
  deadlineOf,
  jsonFormat,
  type LogFields,
  pairOf,
  type RotationContext,
  RotationError,
  readSecretValue,
} from "@quarterturn/core";
import {
  addressOf,
  type DatabaseSecret,
  databaseSecretSchema,
  isSameServer,
  loginOf,
  whereOf,
} from "@quarterturn/database";
import type { Context } from "./context.ts";
import { type Product, productOf } from "./engines.ts";
import { adviceOn } from "./failure.ts";
import { type Secret, tagsOf } from "./secret.ts";
import { readCurrent, readVersion } from "./version.ts";

/** What became of a login with a version's value. */
export type Verdict =
  /** The database took it. */
  | { readonly is: "accepted"; readonly where: string }
  /** The database was reached and refused the name or the password. */
  | { readonly is: "refused"; readonly where: string }
  /** Nobody knows: the database was not reached, or the value is not one of a database that is known here. */
  | { readonly is: "unknown"; readonly why: string }
  /** The version has no value: createSecret has not run. */
  | { readonly is: "no value" };

/** A version's value as that of a database's secret. */
export interface DatabaseVersion {
  readonly product: Product;
  readonly value: DatabaseSecret;
}

/** How long a login may take, all its questions together, in milliseconds. */
const LOGIN_MS = 20_000;

/**
 * Logs in with a version's value as testSecret of the rotation function does, from this machine, and logs out. Changes nothing.
 *
 * @throws Failure where the value could not be read
 */
export async function tryVersion(context: Context, secret: Secret, id: string): Promise<Verdict> {
  try {
    const version = await readDatabaseVersion(context, secret, id);
    return version === undefined ? { is: "no value" } : await tryLogin(context, secret, version);
  } catch (error) {
    return { is: "unknown", why: reasonIn(error, context) };
  }
}

/** Logs in as tryVersion does, with a value that was read already. */
export async function tryLogin(
  context: Context,
  secret: Secret,
  { product, value }: DatabaseVersion,
): Promise<Verdict> {
  try {
    const engine = await product.load();
    const answer = await engine.probe(loginOf(value), rotationContext(context, secret), true);
    return { is: answer === "rejected" ? "refused" : "accepted", where: whereOf(value) };
  } catch (error) {
    return { is: "unknown", why: reasonIn(error, context) };
  }
}

/**
 * A version's value; undefined where it has none yet.
 *
 * @throws RotationError `bad-secret` where it cannot be read, or is not the value of a database that is known here
 * @throws Failure
 */
export async function readDatabaseVersion(
  context: Context,
  secret: Secret,
  id: string,
): Promise<DatabaseVersion | undefined> {
  const text = await readVersion(context, secret, id);
  return text === undefined ? undefined : databaseVersion(text, `version ${id}`);
}

/** @throws RotationError `bad-secret` where it is not the value of a database that is known here */
export async function databaseVersion(text: string, version: string): Promise<DatabaseVersion> {
  const json = objectIn(text);
  const product = productOf(json?.engine);
  if (product === undefined) {
    const lacking = json ? "names no database that is known here" : "is not a JSON object";
    throw new RotationError(
      "bad-secret",
      `The value of ${version} ${lacking}, so nobody can try its login`,
      'A database is known by "engine" in the JSON: see quarterturn apps.',
    );
  }
  return { product, value: await readSecretValue(text, version, databaseSecretSchema(product.manifest), jsonFormat) };
}

/**
 * In what a version is not another's like: what logs in there is not what an application of this secret is to have, and an admin must not
 * touch it. Undefined where the two are of one user, or of one pair, at one server.
 */
export function differenceOf(one: DatabaseVersion, other: DatabaseVersion): string | undefined {
  const { product, value } = other;
  if (product !== one.product || !isSameServer(value, one.value)) return `another server (${addressOf(value)})`;
  const userOf = (login: DatabaseSecret) => JSON.stringify([pairOf(login.username).original, login.userKeys]);
  return userOf(value) === userOf(one.value) ? undefined : `another user ("${value.username}")`;
}

/** A value as an object; undefined where it is no JSON object. */
export function objectIn(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return jsonFormat.read(text) as Readonly<Record<string, unknown>>;
  } catch (error) {
    // Not every secret is JSON. The parser's message quotes the secret.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** What the engines ask for, as the function has it. */
export function rotationContext(context: Context, secret: Secret): RotationContext {
  const end = Date.now() + LOGIN_MS;
  const warn = (message: string, fields: LogFields = {}) => {
    const said = Object.entries(fields).map(
      ([name, value]) => `${name} ${typeof value === "string" ? value : JSON.stringify(value)}`,
    );
    context.note(context.redactor.redact([message, ...said].join("; ")));
  };
  return {
    secretId: secret.arn,
    token: "",
    deadline: deadlineOf(() => end - Date.now()),
    log: { debug: () => undefined, info: () => undefined, warn, error: warn },
    readSecret: (secretId) => readCurrent(context, secretId),
    describeSecret: (secretId) => tagsOf(context, secretId),
    requirePending: async () => undefined,
  };
}

/** Why nobody can say whether a login is good. @throws the error, where it is not one that an engine foresaw */
export function reasonIn(error: unknown, context: Context): string {
  if (!(error instanceof RotationError)) throw error;
  return context.redactor.redact(`${error.what}. ${adviceOn(error)}`).replace(/\.$/, "");
}

/** A verdict in words, to stand after "VERSION: ". */
export function wordsOf(verdict: Verdict): string {
  switch (verdict.is) {
    case "accepted":
      return `logs in at ${verdict.where}`;
    case "refused":
      return `is refused at ${verdict.where}`;
    case "unknown":
      return `could not be tried: ${verdict.why}`;
    case "no value":
      return "has no value, or is not there any more";
  }
}
