import { rotatorConformance } from "@quarterturn/conformance";
import { bundledHandler } from "@quarterturn-tools/bundle/bundled-handler";
import { redshiftTarget } from "./target.ts";

// In full: multi-user by wire, single-user by Data API.
rotatorConformance({
  name: "redshift, single-user, by wire",
  handler: await bundledHandler(new URL("../../src/single-user.ts", import.meta.url)),
  strategy: "single-user",
  window: "refused",
  promises: [1, 2],
  target: () => redshiftTarget("single-user"),
});
