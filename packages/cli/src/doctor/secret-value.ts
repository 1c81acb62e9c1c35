import { GetSecretValueCommand } from "@aws-sdk/client-secrets-manager";
import { jsonFormat, RotationError, readSecretValue } from "@quarterturn/core";
import { type DatabaseSecret, databaseSecretSchema } from "@quarterturn/database";
import type { Context } from "../context.ts";
import { type Product, productOf } from "../engines.ts";
import { objectIn } from "../login.ts";
import type { Secret } from "../secret.ts";
import { read, type Seen, seen } from "./seen.ts";

/** AWSCURRENT's value as that of a database which is known here. */
export interface Database {
  readonly product: Product;
  /** The secret's `engine`, which names the product. */
  readonly engine: string;
  readonly value: DatabaseSecret;
  /** The names of its keys. */
  readonly keys: readonly string[];
  /** Whether it asks for encryption by itself; undefined where it does not say. */
  readonly ssl: boolean | undefined;
}

/** AWSCURRENT's value, as far as it is understood here. */
export type SecretValue =
  | (Database & { readonly is: "database" })
  /** It is meant for a database that is known here, and cannot be used; or it is not there, or binary. */
  | { readonly is: "wrong"; readonly what: string }
  | { readonly is: "of no database known here"; readonly namesEngine: boolean }
  | { readonly is: "no JSON" };

/** Reads it; its text goes no further than this. */
export async function readValue(context: Context, { name, arn }: Secret): Promise<Seen<SecretValue>> {
  const answer = await read(context, "secretsmanager:GetSecretValue", name, (options) =>
    context.secretsManager.send(new GetSecretValueCommand({ SecretId: arn }), options),
  );
  if (answer.is === "unseen") return answer;
  if (!answer.it) return seen({ is: "wrong", what: "no version is AWSCURRENT" });
  const text = answer.it.SecretString;
  if (text === undefined) return seen({ is: "wrong", what: "the value is binary, which no rotator here reads" });
  context.redactor.learn(text);
  const json = objectIn(text);
  if (!json) return seen({ is: "no JSON" });
  const product = productOf(json.engine);
  if (!product) return seen({ is: "of no database known here", namesEngine: json.engine !== undefined });
  try {
    const value = await readSecretValue(text, "AWSCURRENT", databaseSecretSchema(product.manifest), jsonFormat);
    const ssl = json.ssl === undefined ? undefined : value.ssl;
    return seen({ is: "database", product, engine: String(json.engine), value, keys: Object.keys(json), ssl });
  } catch (error) {
    if (error instanceof RotationError) return seen({ is: "wrong", what: context.redactor.redact(error.what) });
    throw error;
  }
}
