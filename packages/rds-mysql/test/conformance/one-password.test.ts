import { rotatorConformance } from "@quarterturn/conformance";
import { mysqlTarget } from "./target.ts";

// A user that may not keep two passwords, as most are before they get the right.
for (const EARLY_PROMOTION of ["false", "true"]) {
  rotatorConformance({
    name: `rds-mysql, single-user with one password${EARLY_PROMOTION === "true" ? " and early promotion" : ""}`,
    handler: new URL("../../src/single-user.ts", import.meta.url),
    strategy: "single-user",
    window: "refused",
    promises: [1, 2],
    env: { EARLY_PROMOTION },
    target: () => mysqlTarget("single-user", { twoPasswords: false }),
  });
}
