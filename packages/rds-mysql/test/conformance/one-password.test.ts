import { rotatorConformance } from "@quarterturn/conformance";
import { bundledHandler } from "@quarterturn-tools/bundle/bundled-handler";
import { mysqlTarget } from "./target.ts";

const handler = await bundledHandler(new URL("../../src/single-user.ts", import.meta.url));

// A user that may not keep two passwords, as most are before they get the right. Early promotion is judged further on PostgreSQL.
for (const [EARLY_PROMOTION, promises] of [
  ["false", [1, 2]],
  ["true", [1]],
] as const) {
  rotatorConformance({
    name: `rds-mysql, single-user with one password${EARLY_PROMOTION === "true" ? " and early promotion" : ""}`,
    handler,
    strategy: "single-user",
    window: "refused",
    promises,
    env: { EARLY_PROMOTION },
    target: () => mysqlTarget("single-user", { twoPasswords: false }),
  });
}
