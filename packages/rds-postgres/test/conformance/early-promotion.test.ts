import { rotatorConformance } from "@quarterturn/conformance";
import { postgresTarget } from "./target.ts";

rotatorConformance({
  name: "rds-postgres, single-user with early promotion",
  handler: new URL("../../src/single-user.ts", import.meta.url),
  strategy: "single-user",
  window: "refused",
  env: { EARLY_PROMOTION: "true" },
  target: () => postgresTarget("single-user"),
});
