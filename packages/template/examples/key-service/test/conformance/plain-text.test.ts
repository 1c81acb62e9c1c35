import { rotatorConformance } from "@quarterturn/conformance";
import { bundledHandler } from "@quarterturn-tools/bundle/bundled-handler";
import { keyServiceTarget } from "../target.ts";

rotatorConformance({
  name: "key-service, single-user, the secret is plain text",
  handler: await bundledHandler(new URL("../../src/single-user.ts", import.meta.url)),
  strategy: "single-user",
  window: "none",
  credentials: "issued",
  text: "plain",
  promises: [1, 3, 4, 5, 6],
  env: ({ host, port }) => ({ KEY_SERVICE_URL: `http://${host}:${port}` }),
  target: () => keyServiceTarget("single-user"),
});
