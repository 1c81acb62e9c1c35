import { redshiftTarget } from "../../../../packages/redshift/test/conformance/target.ts";
import { deployedFunctions } from "./functions.ts";

await deployedFunctions(["redshift-single-user", "redshift-multi-user"], redshiftTarget);
