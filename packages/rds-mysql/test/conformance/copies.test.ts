import { rotatorConformance } from "@quarterturn/conformance";
import { bundledHandler } from "@quarterturn-tools/bundle/bundled-handler";
import { mysqlTarget } from "./target.ts";

// An admin that may not grant a user as a role: the twin gets copies of the rights.
rotatorConformance({
  name: "rds-mysql, multi-user with copied rights",
  handler: await bundledHandler(new URL("../../src/multi-user.ts", import.meta.url)),
  strategy: "multi-user",
  window: "none",
  promises: [1, 2],
  target: () => mysqlTarget("multi-user", { adminRights: "SELECT, CREATE USER", twoPasswords: false }),
});
