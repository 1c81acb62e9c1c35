import { keyServiceTarget } from "../../../../packages/template/examples/key-service/test/target.ts";
import { deployedFunctions } from "./functions.ts";

await deployedFunctions("packages/template/examples/key-service", keyServiceTarget, { SECRET_FIELD: "password" });
