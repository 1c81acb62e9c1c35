import { rotatorConformance } from "@quarterturn/conformance";
import { bundledHandler } from "@quarterturn-tools/bundle/bundled-handler";
import { redshiftTarget } from "./target.ts";

rotatorConformance({
  name: "redshift, multi-user, by wire",
  handler: await bundledHandler(new URL("../../src/multi-user.ts", import.meta.url)),
  strategy: "multi-user",
  window: "none",
  target: () => redshiftTarget("multi-user"),
});
