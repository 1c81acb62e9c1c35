import { rotatorConformance } from "@quarterturn/conformance";
import { keyServiceTarget } from "../target.ts";

rotatorConformance({
  name: "key-service, single-user",
  handler: new URL("../../src/single-user.ts", import.meta.url),
  strategy: "single-user",
  window: "none",
  credentials: "issued",
  env: { SECRET_FIELD: "password" },
  target: () => keyServiceTarget("single-user"),
});
