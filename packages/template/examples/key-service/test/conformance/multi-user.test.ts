import { rotatorConformance } from "@quarterturn/conformance";
import { bundledHandler } from "@quarterturn-tools/bundle/bundled-handler";
import { keyServiceTarget } from "../target.ts";

rotatorConformance({
  name: "key-service, multi-user",
  handler: await bundledHandler(new URL("../../src/multi-user.ts", import.meta.url)),
  strategy: "multi-user",
  window: "none",
  target: () => keyServiceTarget("multi-user"),
});
