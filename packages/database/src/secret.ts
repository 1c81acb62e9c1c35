import { jsonFormat, type Manifest, type SecretFormat } from "@quarterturn/core";
import * as v from "valibot";
import { sslChoice } from "./tls.ts";

/**
 * The value of a database's secret, with the defaults of its engine filled in. Other keys of the JSON are kept and not looked at.
 *
 * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_secret_json_structure.html
 */
export interface DatabaseSecret {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
  /** Absent where neither the secret nor the engine names a database. */
  readonly dbname?: string;
  /** The values of the manifest's `secretKeys`, by name, where the secret has them. */
  readonly userKeys: Readonly<Record<string, string>>;
  /** Whether connections are encrypted and verified: `ssl`, true unless it says false. */
  readonly ssl: boolean;
  /** The ARN of the admin secret of the multi-user strategy. */
  readonly masterarn?: string;
}

/** The keys that a rotation changes. */
export type DatabaseChanges = Readonly<Partial<Record<"username" | "password", string>>>;

export const databaseSecretFormat: SecretFormat<DatabaseChanges> = jsonFormat;

/** A NUL ends a text in the databases' protocols: what follows it would be read as something else. */
const plain = (key: string) =>
  v.pipe(
    v.string(`${key} must be text`),
    v.check((value) => !value.includes("\0"), `${key} holds a NUL character`),
  );
const text = (key: string) => v.pipe(plain(key), v.nonEmpty(`${key} is empty`));
const optionalText = (key: string) => v.optional(v.nullable(plain(key)));

const port = v.optional(
  v.pipe(
    v.union(
      [v.number(), v.pipe(v.string(), v.trim(), v.digits(), v.transform(Number))],
      "port must be a number from 1 to 65535",
    ),
    v.integer("port must be a number from 1 to 65535"),
    v.minValue(1, "port must be a number from 1 to 65535"),
    v.maxValue(65_535, "port must be a number from 1 to 65535"),
  ),
);

const missing = (issue: v.ObjectIssue | v.LooseObjectIssue) =>
  `${String(issue.path?.at(-1)?.key ?? "the object")} is missing`;

/** The engine's name may be absent, since the function knows its engine; another engine's secret is refused. */
const engine = ({ engines }: Manifest) =>
  v.optional(v.nullable(v.picklist(engines, `engine must be ${engines.join(" or ")} for this function`)));

const ssl = v.optional(
  v.pipe(
    v.unknown(),
    v.check(
      (value) => sslChoice(value) !== undefined,
      'ssl must be true or false: no other value is read as "do not encrypt"',
    ),
    v.transform((value) => sslChoice(value) ?? true),
  ),
  true,
);

/** Keys of the engine's own. */
const userKeys = ({ secretKeys = [] }: Manifest) =>
  Object.fromEntries(secretKeys.map(({ name }) => [name, optionalText(name)]));

/** An empty text and null count as absent, as in AWS's functions. */
const userKeysOf = ({ secretKeys = [] }: Manifest, secret: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(
    secretKeys.flatMap(({ name, orElse }) => {
      const value = secret[name] || (orElse && secret[orElse]);
      return value ? [[name, String(value)]] : [];
    }),
  );

/** The schema of the secrets that a rotator of this manifest rotates. Its messages name keys and hold no value. */
export function databaseSecretSchema(manifest: Manifest): v.GenericSchema<unknown, DatabaseSecret> {
  return v.pipe(
    v.looseObject(
      {
        engine: engine(manifest),
        host: text("host"),
        port,
        username: text("username"),
        password: text("password"),
        dbname: optionalText("dbname"),
        ssl,
        masterarn: optionalText("masterarn"),
        ...userKeys(manifest),
      },
      missing,
    ),
    v.transform(({ host, username, password, masterarn, ...secret }): DatabaseSecret => {
      const dbname = secret.dbname || manifest.dbname;
      return {
        host,
        port: secret.port ?? manifest.port,
        username,
        password,
        userKeys: userKeysOf(manifest, secret),
        ssl: secret.ssl,
        ...(dbname ? { dbname } : {}),
        ...(masterarn ? { masterarn } : {}),
      };
    }),
  );
}

/** An admin secret's value: like a database's, or one that RDS manages, which holds only a name and a password. */
export type AdminSecret = Pick<DatabaseSecret, "username" | "password" | "userKeys" | "ssl"> &
  Partial<Pick<DatabaseSecret, "host" | "port" | "dbname">>;

export function adminSecretSchema(manifest: Manifest): v.GenericSchema<unknown, AdminSecret> {
  return v.pipe(
    v.looseObject(
      {
        engine: engine(manifest),
        host: v.optional(text("host")),
        port,
        username: text("username"),
        password: text("password"),
        dbname: optionalText("dbname"),
        ssl,
        ...userKeys(manifest),
      },
      missing,
    ),
    v.transform(
      ({ host, username, password, ...secret }): AdminSecret => ({
        username,
        password,
        userKeys: userKeysOf(manifest, secret),
        ssl: secret.ssl,
        ...(host === undefined ? {} : { host }),
        ...(secret.port === undefined ? {} : { port: secret.port }),
        ...(secret.dbname ? { dbname: secret.dbname } : {}),
      }),
    ),
  );
}
