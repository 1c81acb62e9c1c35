import { problemOf } from "../../rotation-functions.ts";
import { primaryOf } from "../../secret.ts";
import { type Check, fail, notKnown, notLookedAt, pass } from "../check.ts";
import { databaseOf, type Facts } from "../facts.ts";
import { nameOf, settingsOf } from "../rotation-function.ts";

/** Why a replica has no rotation to look at; undefined where the secret is none. */
export function isReplica({ secret }: Facts): string | undefined {
  const primary = primaryOf(secret);
  return primary && `a replica, which is rotated in ${primary.region}: look there`;
}

/** @see https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html */
export const rotationFunction: Check = {
  name: "function",
  moot: isReplica,
  look(facts) {
    const { id, rotationFunction: found, next } = facts;
    const { owningService } = facts.secret;
    if (!found) {
      if (owningService !== undefined) return notLookedAt(`${owningService} rotates this secret itself`);
      return fail("no rotation function is set", next("enable", id));
    }
    const { arn, configuration } = found;
    if (configuration.is === "unseen") return notKnown(configuration.why);
    if (!configuration.it)
      return fail(`${arn} does not exist`, `Deploy it again, or set another: ${next("enable", id)}`);
    const { State, StateReason, LastUpdateStatus, LastUpdateStatusReason } = configuration.it;
    const called = nameOf(arn);
    if (State === "Failed") return fail(`${called} is Failed: ${StateReason}`, "Correct that, and deploy it again.");
    if (LastUpdateStatus === "Failed")
      return fail(
        `the last change of ${called} failed: ${LastUpdateStatusReason}`,
        "Correct that, and deploy it again.",
      );
    if (State === "Pending" || LastUpdateStatus === "InProgress")
      return notKnown(`${called} is being changed`, "Look again in a minute.");
    const unfit = whyUnfit(facts);
    if (unfit !== undefined)
      return fail(
        `${called} cannot rotate the secret: ${unfit}`,
        `Set another, or correct that: ${next("enable", id)}`,
      );
    if (arn.split(":").length > 7) {
      const fix = `The secret names a version or an alias, and the templates' roles allow secrets that name the function without: ${next("enable", id)}`;
      return pass(`${called} is ${State}`, fix);
    }
    return State === "Inactive"
      ? pass(`${called} is Inactive`, "It was idle for long: a first invocation fails, and the service tries again.")
      : pass(`${called} is ${State}`);
  },
};

/** Of an application's function, what it would fail of; undefined where nothing is known of that. */
function whyUnfit(facts: Facts): string | undefined {
  const { application, rotationFunction: found } = facts;
  const database = databaseOf(facts);
  if (!application || found?.configuration.is !== "seen" || !database) return undefined;
  const areSettingsSeen = !found.configuration.it?.Environment?.Error;
  return problemOf(
    { application, ...(areSettingsSeen && { namesAdmin: Boolean(settingsOf(found).SUPERUSER_SECRET_ARN) }) },
    { engine: database.engine, namesAdmin: database.value.masterarn !== undefined },
  );
}
