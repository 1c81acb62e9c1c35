import { rotatorConformance } from "@quarterturn/conformance";
import { postgresTarget } from "./target.ts";

rotatorConformance({
  name: "rds-postgres, multi-user",
  handler: new URL("../../src/multi-user.ts", import.meta.url),
  strategy: "multi-user",
  window: "none",
  target: () => postgresTarget("multi-user"),
});
