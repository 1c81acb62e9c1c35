import { rotatorConformance } from "@quarterturn/conformance";
import { bundledHandler } from "@quarterturn-tools/bundle/bundled-handler";
import { mysqlTarget } from "./target.ts";

rotatorConformance({
  name: "rds-mysql, multi-user",
  handler: await bundledHandler(new URL("../../src/multi-user.ts", import.meta.url)),
  strategy: "multi-user",
  window: "none",
  target: () => mysqlTarget("multi-user"),
});
