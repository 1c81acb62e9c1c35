import { type Check, fail, notKnown, pass } from "../check.ts";
import type { Lacking } from "../simulation.ts";
import { rotationFunction } from "./function.ts";

export const role: Check = {
  name: "role",
  needs: [rotationFunction],
  look({ role: found }) {
    if (!found) return notKnown("the function names no role");
    const { lacking } = found;
    return lacking.is === "unseen"
      ? notKnown(lacking.why)
      : findingOf(lacking.it, found.arn, "may do all that this rotation takes");
  },
};

/** @param otherwise what is so where nothing is lacking, to stand after the role's name */
export function findingOf(lacking: readonly Lacking[], arn: string, otherwise: string) {
  const name = arn.split("/").at(-1) ?? arn;
  const forbidden = lacking.filter(({ undecided }) => undecided.length === 0);
  if (forbidden.length > 0) {
    const list = forbidden.map(({ action }) => action).join(", ");
    const on = [...new Set(forbidden.map(({ resource, why }) => `${resource} (${why})`))].join(", ");
    return fail(`${name} may not ${list}`, `Allow it on ${on}: docs/permissions.md has the policies.`);
  }
  const [first] = lacking;
  if (first) return notKnown(`${first.action} of ${name} hangs on ${first.undecided.join(", ")}`);
  return pass(`${name} ${otherwise}`);
}
