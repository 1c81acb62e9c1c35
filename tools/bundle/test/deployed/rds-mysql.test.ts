import { startMysql } from "@quarterturn-tools/engines";
import { mysqlTarget } from "../../../../packages/rds-mysql/test/conformance/target.ts";
import { deployedFunctions } from "./functions.ts";

// The driver's tables of encodings are in the bundle, and here the server speaks another one than the function.
const settings = { "character-set-server": "gbk", "init-connect": "SET NAMES cp1251" };

// One for both functions: to start it takes longer than all that they do.
let target: ReturnType<typeof mysqlTarget> | undefined;

await deployedFunctions(["rds-mysql-single-user", "rds-mysql-multi-user"], () => {
  target ??= mysqlTarget("multi-user", { start: (options) => startMysql({ ...options, settings }) });
  return target;
});
