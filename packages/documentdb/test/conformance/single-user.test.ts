import { rotatorConformance } from "@quarterturn/conformance";
import { bundledHandler } from "@quarterturn-tools/bundle/bundled-handler";
import { documentdbTarget } from "./target.ts";

rotatorConformance({
  name: "documentdb, single-user",
  handler: await bundledHandler(new URL("../../src/single-user.ts", import.meta.url)),
  strategy: "single-user",
  window: "refused",
  target: () => documentdbTarget("single-user"),
});
