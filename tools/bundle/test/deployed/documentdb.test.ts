import { documentdbTarget } from "../../../../packages/documentdb/test/conformance/target.ts";
import { deployedFunctions } from "./functions.ts";

await deployedFunctions(["documentdb-single-user", "documentdb-multi-user"], documentdbTarget);
