import { rotatorConformance } from "@quarterturn/conformance";
import { bundledHandler } from "@quarterturn-tools/bundle/bundled-handler";
import { keyServiceTarget } from "../target.ts";

rotatorConformance({
  name: "key-service, single-user, with OLD_KEY=revoke",
  handler: await bundledHandler(new URL("../../src/single-user.ts", import.meta.url)),
  strategy: "single-user",
  window: "none",
  previous: "ended",
  credentials: "issued",
  promises: [1, 2],
  env: { SECRET_FIELD: "password", OLD_KEY: "revoke" },
  target: () => keyServiceTarget("single-user"),
});
