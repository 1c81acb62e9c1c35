import { rotatorConformance } from "@quarterturn/conformance";
import { bundledHandler } from "@quarterturn-tools/bundle/bundled-handler";
import { postgresTarget } from "./target.ts";

rotatorConformance({
  name: "rds-postgres, single-user with early promotion",
  handler: await bundledHandler(new URL("../../src/single-user.ts", import.meta.url)),
  strategy: "single-user",
  window: "refused",
  promises: [1, 2],
  env: { EARLY_PROMOTION: "true" },
  target: () => postgresTarget("single-user"),
});
