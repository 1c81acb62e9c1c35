import { rotatorConformance } from "@quarterturn/conformance";
import { keyServiceTarget } from "../target.ts";

rotatorConformance({
  name: "key-service, multi-user",
  handler: new URL("../../src/multi-user.ts", import.meta.url),
  strategy: "multi-user",
  window: "none",
  target: () => keyServiceTarget("multi-user"),
});
