import { isOverdue } from "../../secret-report.ts";
import { dayOf } from "../../times.ts";
import { type Check, fail, pass } from "../check.ts";
import { isReplica } from "./function.ts";

export const schedule: Check = {
  name: "schedule",
  // Else the same is to be done twice; a secret that a service manages has none, and yet a schedule.
  moot: (facts) =>
    isReplica(facts) ??
    (facts.rotationFunction || facts.secret.owningService !== undefined ? undefined : "no rotation function is set"),
  look({ id, secret, now, next }) {
    const { rotationEnabled, schedule: rules, nextRotation, lastRotated } = secret;
    if (rotationEnabled === undefined) return fail("rotation was never turned on", next("enable", id));
    if (!rotationEnabled) return fail("rotation is off", `Turn it on: ${next("rotate", id, "--wait")}`);
    const days = rules?.automaticallyAfterDays;
    const when = rules?.expression ?? (days === undefined ? undefined : `every ${days} days`);
    if (when === undefined) return fail("there is none: it rotates only when it is told to", next("enable", id));
    const last = lastRotated ? `, last on ${dayOf(lastRotated)}` : ", not rotated yet";
    if (isOverdue(secret, now))
      return fail(`overdue: ${when}${last}`, `See what fails: ${next("rotate", id, "--wait")}`);
    return pass(`${when}${last}${nextRotation ? `, next by ${dayOf(nextRotation)}` : ""}`);
  },
};
