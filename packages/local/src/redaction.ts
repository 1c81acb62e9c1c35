import type { Secret } from "./state.ts";

/** Keys of AWS's database secrets whose values are no secrets: without them a message would lose its meaning. */
const PUBLIC_KEYS = new Set([
  "engine",
  "host",
  "port",
  "username",
  "dbname",
  "dbInstanceIdentifier",
  "dbClusterIdentifier",
  "masterarn",
  "ssl",
]);

/** Shorter values are left alone: to replace each "a" would make a message unreadable and, by its gaps, tell the value. */
const SHORTEST_VALUE = 4;

/** Replaces every value that any version of the secret holds, so that a function's message can be logged. */
export function withoutValuesOf(secret: Secret, message: string): string {
  const values = secret.versions
    .flatMap(({ value }) => {
      if (value === undefined) return [];
      if ("SecretString" in value) return [value.SecretString, ...valuesInside(value.SecretString)];
      const decoded = Buffer.from(value.SecretBinary, "base64").toString();
      return [value.SecretBinary, decoded, ...valuesInside(decoded)];
    })
    .filter((value) => value.length >= SHORTEST_VALUE)
    .sort((a, b) => b.length - a.length);
  return values.reduce((text, value) => text.replaceAll(value, "***"), message);
}

function valuesInside(secretString: string): string[] {
  try {
    return stringsOf(JSON.parse(secretString));
  } catch {
    // Not JSON: the string as a whole is the value.
    return [];
  }
}

function stringsOf(value: unknown): string[] {
  if (typeof value === "string") return [value, JSON.stringify(value).slice(1, -1)];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => (PUBLIC_KEYS.has(key) ? [] : stringsOf(inner)));
}
