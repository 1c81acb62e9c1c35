import { postgresTarget } from "../../../../packages/rds-postgres/test/conformance/target.ts";
import { deployedFunctions } from "./functions.ts";

await deployedFunctions("packages/rds-postgres", postgresTarget);
