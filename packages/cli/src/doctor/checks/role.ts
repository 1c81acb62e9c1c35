import { type Check, type Finding, fail, notKnown, pass } from "../check.ts";
import type { Lacking } from "../simulation.ts";
import { rotationFunction } from "./function.ts";

export const role: Check = {
  name: "role",
  needs: [rotationFunction],
  look({ role: found }) {
    if (!found) return notKnown("the function names no role");
    const { arn, lacking, unseen } = found;
    if (lacking.is === "unseen") return notKnown(lacking.why);
    const finding = findingOf(lacking.it, arn, "may do all that this rotation takes");
    return finding.is === "pass" && unseen.length > 0
      ? notKnown(`as far as seen ${nameOf(arn)} may do what this rotation takes; not seen: ${unseen.join(", ")}`)
      : finding;
  },
};

const nameOf = (arn: string) => arn.split("/").at(-1) ?? arn;

/** @param otherwise what is so where nothing is lacking, to stand after the role's name */
export function findingOf(lacking: readonly Lacking[], arn: string, otherwise: string): Finding {
  const name = nameOf(arn);
  const denied = lacking.filter(({ is }) => is === "denied");
  if (denied.length > 0) {
    const deniers = new Set(denied.map(({ by }) => by));
    const fixes = [...deniers].map((denier) => fixOf(denier, placesOf(denied.filter(({ by }) => by === denier))));
    return fail(`${name} may not ${actionsOf(denied)}`, fixes.join(" "));
  }
  const undecided = lacking.find(({ is }) => is === "undecided");
  if (undecided) return notKnown(`${undecided.action} of ${name} hangs on ${undecided.by}`);
  const spare = lacking.filter(({ is }) => is === "spare");
  if (spare.length === 0) return pass(`${name} ${otherwise}`);
  return pass(
    `${name} ${otherwise}`,
    `A rotation works without, but better allow ${actionsOf(spare)} on ${placesOf(spare)}.`,
  );
}

const actionsOf = (lacking: readonly Lacking[]) => [...new Set(lacking.map(({ action }) => action))].join(", ");
const placesOf = (lacking: readonly Lacking[]) =>
  [...new Set(lacking.map(({ resource, why }) => `${resource} (${why})`))].join(", ");

const fixOf = (denier: string | undefined, places: string) =>
  denier === undefined
    ? `Allow it on ${places}: docs/permissions.md has the policies.`
    : `What stands against it on ${places} is ${denier}: change that.`;
