import { RotationError } from "@quarterturn/core";
import { adviceIn } from "../advice.ts";
import { type Check, fail, notKnown, notLookedAt, pass } from "../check.ts";
import { databaseOf, type Facts } from "../facts.ts";
import { isOfThisPlace } from "../refusal.ts";
import { orNoAccount } from "./login.ts";
import { secret } from "./secret.ts";
import { isByDataApi } from "./tcp.ts";
import { undecidedTls } from "./tls.ts";

/** Why there are no two users to look at; undefined where there are. */
export function isSingleUser({ strategy, rotationFunction }: Facts): string | undefined {
  if (strategy === "multi-user") return undefined;
  return rotationFunction?.configuration.is === "unseen"
    ? "the secret names no admin, and what the function names is not seen"
    : "single-user, which has no admin and no twin";
}

export const admin: Check = {
  name: "admin",
  moot: (facts) => isSingleUser(facts) ?? isByDataApi(facts),
  needs: [secret],
  look(facts) {
    const { admin: found, redact } = facts;
    const login = found?.login;
    if (!login) return notLookedAt("the database is not reached");
    if (login.is === "unseen") return notKnown(login.why);
    if (login.it instanceof RotationError) {
      const told = [redact(login.it.what), redact(adviceIn(login.it))] as const;
      // The function's ALLOWED_HOSTS may name the server.
      const mayBeAllowed = login.it.code === "wrong-target" && facts.rotationFunction?.configuration.is === "unseen";
      if (login.it.code === "busy" || mayBeAllowed) return notKnown(...told);
      if (isOfThisPlace(login.it))
        return notKnown(`${told[0]}, from this machine; the function comes from elsewhere`, told[1]);
      return undecidedTls(login.it, facts) ?? fail(...told);
    }
    const { where } = login.it;
    if (login.it.is === "rejected")
      return fail(
        `the admin is refused at ${where}${orNoAccount(databaseOf(facts))}`,
        "Correct the admin's secret, or rotate it.",
      );
    const { admin: rights } = login.it.pair;
    switch (rights) {
      case "able":
        return pass(`logs in at ${where}, and may change both users`);
      case "unproven":
        return pass(`logs in at ${where}; whether it may change both users shows when it does`);
      default:
        return fail(redact(rights.what), redact(adviceIn(rights)));
    }
  },
};
