import { rotatorConformance } from "@quarterturn/conformance";
import { postgresTarget } from "./conformance-target.ts";

rotatorConformance({
  name: "rds-postgres, single-user",
  handler: new URL("../src/single-user.ts", import.meta.url),
  strategy: "single-user",
  window: "refused",
  target: () => postgresTarget("single-user"),
});

rotatorConformance({
  name: "rds-postgres, single-user with early promotion",
  handler: new URL("../src/single-user.ts", import.meta.url),
  strategy: "single-user",
  window: "refused",
  env: { EARLY_PROMOTION: "true" },
  target: () => postgresTarget("single-user"),
});

rotatorConformance({
  name: "rds-postgres, multi-user",
  handler: new URL("../src/multi-user.ts", import.meta.url),
  strategy: "multi-user",
  window: "none",
  target: () => postgresTarget("multi-user"),
});
