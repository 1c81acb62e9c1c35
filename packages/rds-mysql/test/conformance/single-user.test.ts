import { rotatorConformance } from "@quarterturn/conformance";
import { mysqlTarget } from "./target.ts";

// Both passwords are valid, so there is no window in which a login is refused.
rotatorConformance({
  name: "rds-mysql, single-user with two passwords",
  handler: new URL("../../src/single-user.ts", import.meta.url),
  strategy: "single-user",
  window: "none",
  target: () => mysqlTarget("single-user"),
});
