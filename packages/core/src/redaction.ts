/** Keeps secret values out of whatever leaves the process. */
export interface Redactor {
  /** From now on, every value in this text of a secret is redacted: the leaves of a JSON value, or the text itself. */
  learn(secretText: string): void;
  /** The text with every known secret value replaced, on one line and without control characters. */
  redact(text: string): string;
}

/** Keys whose values are shown in messages, because an operator cannot act without them. */
const publicKeys = new Set([
  "engine",
  "host",
  "port",
  "username",
  "dbname",
  "ssl",
  "masterarn",
  "authSource",
  "dbInstanceIdentifier",
  "dbClusterIdentifier",
]);

/**
 * Shorter values are left alone inside a longer text: to replace each "a" would make the text unreadable and, by its gaps, tell the value.
 * Nothing that this project writes into a message comes from such a value.
 */
const shortestValue = 4;

export function createRedactor(): Redactor {
  const known = new Set<string>();
  const learnValue = (value: string) => {
    if (value.length < shortestValue) return;
    // A value may come back as it was written into JSON, a URL or an SQL literal.
    for (const form of [
      value,
      JSON.stringify(value).slice(1, -1),
      encodeURIComponent(value.toWellFormed()),
      value.replaceAll("'", "''"),
    ])
      known.add(form);
  };
  return {
    learn(secretText) {
      let value: unknown;
      try {
        value = JSON.parse(secretText, numbersAsWritten);
      } catch {
        // Not JSON: a plain-text secret, or a malformed one whose every line may be secret.
        for (const line of secretText.split(/\r?\n/)) learnValue(line);
        learnValue(secretText);
        return;
      }
      for (const leaf of secretLeaves(value)) learnValue(leaf);
    },
    redact(text) {
      let result = text;
      for (const form of [...known].sort((a, b) => b.length - a.length)) result = result.replaceAll(form, "[redacted]");
      return oneLine(result);
    },
  };
}

/** A text that cannot forge another line of a log or steer a terminal. */
export function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, " ").trim();
}

/** A long number read as a number is another text than the one that was stored. */
function numbersAsWritten(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  return typeof value === "number" ? (context?.source ?? String(value)) : value;
}

function* secretLeaves(value: unknown): Generator<string> {
  if (typeof value === "object" && value !== null) {
    for (const [key, member] of Object.entries(value)) if (!publicKeys.has(key)) yield* secretLeaves(member);
  } else if (typeof value === "string") yield value;
}
