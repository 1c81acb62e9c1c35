import { rotatorConformance } from "@quarterturn/conformance";
import { documentdbTarget } from "./target.ts";

rotatorConformance({
  name: "documentdb, multi-user",
  handler: new URL("../../src/multi-user.ts", import.meta.url),
  strategy: "multi-user",
  window: "none",
  target: () => documentdbTarget("multi-user"),
});
