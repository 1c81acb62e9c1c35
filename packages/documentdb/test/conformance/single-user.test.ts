import { rotatorConformance } from "@quarterturn/conformance";
import { documentdbTarget } from "./target.ts";

rotatorConformance({
  name: "documentdb, single-user",
  handler: new URL("../../src/single-user.ts", import.meta.url),
  strategy: "single-user",
  window: "refused",
  target: () => documentdbTarget("single-user"),
});
