import { rotatorConformance } from "@quarterturn/conformance";
import { bundledHandler } from "@quarterturn-tools/bundle/bundled-handler";
import { startMariadb } from "@quarterturn-tools/engines";
import { mysqlTarget } from "./conformance/target.ts";

// A user has one password there.
rotatorConformance({
  name: "rds-mysql on MariaDB, single-user",
  handler: await bundledHandler(new URL("../src/single-user.ts", import.meta.url)),
  strategy: "single-user",
  window: "refused",
  target: () => mysqlTarget("single-user", { engine: "mariadb", start: startMariadb, twoPasswords: false }),
});
