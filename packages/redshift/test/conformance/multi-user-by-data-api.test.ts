import { rotatorConformance } from "@quarterturn/conformance";
import { dataApiEnvironment, dataApiTarget } from "./data-api-target.ts";

rotatorConformance({
  name: "redshift, multi-user, by Data API",
  handler: new URL("../../src/multi-user.ts", import.meta.url),
  strategy: "multi-user",
  window: "none",
  env: dataApiEnvironment,
  target: (secretsManagers) => dataApiTarget("multi-user", secretsManagers),
});
