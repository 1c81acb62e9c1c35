import { rotatorConformance } from "@quarterturn/conformance";
import { bundledHandler } from "@quarterturn-tools/bundle/bundled-handler";
import { keyServiceTarget } from "../target.ts";

rotatorConformance({
  name: "key-service, single-user",
  handler: await bundledHandler(new URL("../../src/single-user.ts", import.meta.url)),
  strategy: "single-user",
  window: "none",
  credentials: "issued",
  env: { SECRET_FIELD: "password" },
  target: () => keyServiceTarget("single-user"),
});
