import { rotatorConformance } from "@quarterturn/conformance";
import { postgresTarget } from "./target.ts";

rotatorConformance({
  name: "rds-postgres, single-user",
  handler: new URL("../../src/single-user.ts", import.meta.url),
  strategy: "single-user",
  window: "refused",
  target: () => postgresTarget("single-user"),
});
