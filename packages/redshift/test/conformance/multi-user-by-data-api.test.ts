import { rotatorConformance } from "@quarterturn/conformance";
import { bundledHandler } from "@quarterturn-tools/bundle/bundled-handler";
import { dataApiEnvironment, dataApiTarget } from "./data-api-target.ts";

// In full: multi-user by wire, single-user by Data API.
rotatorConformance({
  name: "redshift, multi-user, by Data API",
  handler: await bundledHandler(new URL("../../src/multi-user.ts", import.meta.url)),
  strategy: "multi-user",
  window: "none",
  promises: [1, 2],
  env: dataApiEnvironment,
  target: (secretsManagers) => dataApiTarget("multi-user", secretsManagers),
});
