import { rotatorConformance } from "@quarterturn/conformance";
import { bundledHandler } from "@quarterturn-tools/bundle/bundled-handler";
import { dataApiEnvironment, dataApiTarget } from "./data-api-target.ts";

rotatorConformance({
  name: "redshift, single-user, by Data API",
  handler: await bundledHandler(new URL("../../src/single-user.ts", import.meta.url)),
  strategy: "single-user",
  window: "refused",
  env: dataApiEnvironment,
  target: (secretsManagers) => dataApiTarget("single-user", secretsManagers),
});
