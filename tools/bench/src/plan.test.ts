import { expect, it } from "vitest";
import { planOf } from "./plan.ts";

it("200 rotations under a login loop show that none is refused, 50 how long some are", () => {
  const plan = planOf({ windows: { "single-user": "refused", "multi-user": "none" } });
  expect(plan.map(({ variant, mode, underLogins }) => `${variant} ${mode} ${underLogins}`)).toEqual([
    "usual warm 50",
    "usual cold 50",
    "early-promotion warm 50",
    "early-promotion cold 50",
    "usual warm 200",
    "usual cold 20",
  ]);
});
