import { type Check, fail, notKnown, notLookedAt, pass } from "../check.ts";
import { nameOf } from "../rotation-function.ts";

/** @see https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html */
export const rotationFunction: Check = {
  name: "function",
  look({ id, secret: { owningService }, rotationFunction: found, next }) {
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
    if (arn.split(":").length > 7) {
      const fix = `The secret names a version or an alias, and the templates' roles allow secrets that name the function without: ${next("enable", id)}`;
      return pass(`${called} is ${State}`, fix);
    }
    return State === "Inactive"
      ? pass(`${called} is Inactive`, "It was idle for long: a first invocation fails, and the service tries again.")
      : pass(`${called} is ${State}`);
  },
};
