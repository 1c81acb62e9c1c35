/** Keys whose values may be shown, since an operator cannot act without them. Not core's own list: the suite judges what core hides. */
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

/** Shorter values are in many texts by chance. */
const shortestSecret = 6;

/** The secret values in a version's text: the leaves of its JSON, public keys left out, or the text itself. */
export function leavesOf(text: string): readonly string[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // A version that is not JSON is one secret.
    return [text];
  }
  return [...leaves(value)].filter((leaf) => leaf.length >= shortestSecret);
}

function* leaves(value: unknown): Generator<string> {
  if (typeof value === "object" && value !== null) {
    for (const [key, member] of Object.entries(value)) if (!publicKeys.has(key)) yield* leaves(member);
  } else if (typeof value === "string") yield value;
}

/**
 * The forms in which a secret may turn up in a log: as it is, in JSON, in a URL, in SQL, in base64 at any offset of a longer text.
 */
export function formsOf(secret: string): readonly string[] {
  const utf8 = Buffer.from(secret);
  const encoded = [0, 1, 2].map((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), utf8]).toString("base64");
    // Characters at both ends also hold bits of what stands around the secret.
    return text.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + utf8.length) * 8) / 6));
  });
  return [
    ...new Set([
      secret,
      JSON.stringify(secret).slice(1, -1),
      encodeURIComponent(secret.toWellFormed()),
      secret.replaceAll("'", "''"),
      ...encoded,
    ]),
  ];
}
