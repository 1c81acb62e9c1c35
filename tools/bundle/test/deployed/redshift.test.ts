import { redshiftTarget } from "../../../../packages/redshift/test/conformance/target.ts";
import { deployedFunctions } from "./functions.ts";

await deployedFunctions("packages/redshift", redshiftTarget);
