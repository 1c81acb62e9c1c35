import { type Check, fail, notKnown, notLookedAt, pass } from "../check.ts";

/** Keys that the function reads; others it keeps. */
const read = ["engine", "host", "port", "username", "password", "dbname", "ssl", "masterarn"];

/** @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_secret_json_structure.html */
export const secret: Check = {
  name: "secret",
  look({ id, secret: { deleted, owningService }, value, application, aws }) {
    if (deleted) {
      const fix = `If it is needed: ${aws("secretsmanager", "restore-secret", "--secret-id", id)}`;
      return fail("marked for deletion, so nobody can read it", fix);
    }
    if (value.is === "unseen") return notKnown(value.why);
    if (owningService !== undefined && value.it.is !== "database")
      return notLookedAt(`${owningService} manages this secret and its value`);
    const store = aws("secretsmanager", "put-secret-value", "--secret-id", id, "--secret-string", "file://FILE");
    if (value.it.is === "no JSON") {
      // A function of somebody's own may rotate plain text.
      return application
        ? fail("the value is not a JSON object", `Store a value that can be used: ${store}`)
        : notKnown(
            "the value is not a JSON object, so it names no database",
            `If it is for one of those in quarterturn apps, store its JSON: ${store}`,
          );
    }
    if (value.it.is === "of no database known here") {
      return notKnown(
        `the value names no database that is known here (${value.it.namesEngine ? "another" : "no"} "engine")`,
        'If it is one of those in quarterturn apps, put its "engine" into the JSON.',
      );
    }
    if (value.it.is === "wrong") {
      return fail(value.it.what, `Store a value that can be used: ${store}`);
    }
    const { keys, product } = value.it;
    const own = [...read, ...(product.manifest.secretKeys ?? []).map((key) => key.name)];
    const known = keys.filter((key) => own.includes(key));
    const others = keys.length - known.length;
    return pass(`${product.manifest.title}: ${known.join(", ")}${others > 0 ? `, and ${others} more` : ""}`);
  },
};
