import { rotatorConformance } from "@quarterturn/conformance";
import { bundledHandler } from "@quarterturn-tools/bundle/bundled-handler";
import { mysqlTarget } from "./target.ts";

// Both passwords are valid, so there is no window in which a login is refused.
rotatorConformance({
  name: "rds-mysql, single-user with two passwords",
  handler: await bundledHandler(new URL("../../src/single-user.ts", import.meta.url)),
  strategy: "single-user",
  window: "none",
  target: () => mysqlTarget("single-user"),
});
