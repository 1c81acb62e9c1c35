import { oneLine, otherOfPair, pairOf, RotationError } from "@quarterturn/core";
import { adviceIn } from "../advice.ts";
import { type Check, fail, notLookedAt, pass } from "../check.ts";
import { databaseOf } from "../facts.ts";
import type { Database } from "../secret-value.ts";
import { isSingleUser } from "./admin.ts";
import { secret } from "./secret.ts";

/** The second user of the multi-user strategy, and what would be lost with it. */
export const twin: Check = {
  name: "twin",
  moot: isSingleUser,
  needs: [secret],
  look(facts) {
    const login = facts.admin?.login;
    const database = databaseOf(facts);
    const impossible = database && whyImpossible(database);
    if (impossible) return fail(facts.redact(impossible.what), facts.redact(adviceIn(impossible)));
    if (!database || login?.is !== "seen" || login.it instanceof RotationError || login.it.is === "rejected")
      return notLookedAt("it takes that the admin logs in");
    const { pair } = login.it;
    const { original, twin: name } = pairOf(database.value.username);
    const list = shownOf(pair.twinDefines);
    if (pair.twinFault)
      return { ...fail(facts.redact(pair.twinFault.what), facts.redact(adviceIn(pair.twinFault))), list };
    if (pair.twinHint)
      return { ...pass(facts.redact(pair.twinHint.what), facts.redact(adviceIn(pair.twinHint))), list };
    switch (pair.twin) {
      case "none":
        return pass(`"${name}" does not exist yet: the first rotation makes it`);
      case "unproven":
        return {
          ...pass(
            `"${name}" exists, and does not say whose twin it is`,
            "The next rotation takes it on if AWSPREVIOUS logs in as it, and refuses it otherwise.",
          ),
          list,
        };
      case "known":
        return list.length === 0
          ? pass(`"${name}" is the twin of "${original}"`)
          : { ...pass(`"${name}" is the twin of "${original}", and has`, "Who drops that user breaks these."), list };
    }
  },
};

/** As createSecret sees it first: the other user's name may be too long, or none. */
function whyImpossible({ product, value }: Database): RotationError | undefined {
  try {
    otherOfPair(value.username, product.manifest);
    return undefined;
  } catch (error) {
    if (error instanceof RotationError) return error;
    throw error;
  }
}

/** How many of the twin's things are listed. */
const SHOWN = 20;

/** The names are the choice of whoever may create things in the database. */
function shownOf(things: readonly string[]): readonly string[] {
  const more = things.length - SHOWN;
  return [...things.slice(0, SHOWN).map(oneLine), ...(more > 0 ? [`and ${more} more`] : [])];
}
