import { postgresTarget } from "../../../../packages/rds-postgres/test/conformance/target.ts";
import { deployedFunctions } from "./functions.ts";

await deployedFunctions(["rds-postgres-single-user", "rds-postgres-multi-user"], postgresTarget);
