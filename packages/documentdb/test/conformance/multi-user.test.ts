import { rotatorConformance } from "@quarterturn/conformance";
import { bundledHandler } from "@quarterturn-tools/bundle/bundled-handler";
import { documentdbTarget } from "./target.ts";

rotatorConformance({
  name: "documentdb, multi-user",
  handler: await bundledHandler(new URL("../../src/multi-user.ts", import.meta.url)),
  strategy: "multi-user",
  window: "none",
  target: () => documentdbTarget("multi-user"),
});
