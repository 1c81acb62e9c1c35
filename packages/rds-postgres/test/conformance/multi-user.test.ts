import { rotatorConformance } from "@quarterturn/conformance";
import { bundledHandler } from "@quarterturn-tools/bundle/bundled-handler";
import { postgresTarget } from "./target.ts";

rotatorConformance({
  name: "rds-postgres, multi-user",
  handler: await bundledHandler(new URL("../../src/multi-user.ts", import.meta.url)),
  strategy: "multi-user",
  window: "none",
  target: () => postgresTarget("multi-user"),
});
