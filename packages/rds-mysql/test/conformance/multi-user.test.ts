import { rotatorConformance } from "@quarterturn/conformance";
import { mysqlTarget } from "./target.ts";

rotatorConformance({
  name: "rds-mysql, multi-user",
  handler: new URL("../../src/multi-user.ts", import.meta.url),
  strategy: "multi-user",
  window: "none",
  target: () => mysqlTarget("multi-user"),
});
