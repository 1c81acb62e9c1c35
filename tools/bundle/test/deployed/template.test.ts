import { keyServiceTarget } from "../../../../packages/template/examples/key-service/test/target.ts";
import { deployedFunctions } from "./functions.ts";

await deployedFunctions(["template-single-user", "template-multi-user"], keyServiceTarget, {
  SECRET_FIELD: "password",
});
