import { rotatorConformance } from "@quarterturn/conformance";
import { bundledHandler } from "@quarterturn-tools/bundle/bundled-handler";
import { inMemoryTarget } from "../examples/in-memory/target.ts";

rotatorConformance({
  name: "in-memory, single-user",
  handler: await bundledHandler(new URL("../examples/in-memory/single-user.ts", import.meta.url)),
  strategy: "single-user",
  window: "refused",
  target: () => inMemoryTarget("single-user"),
});

rotatorConformance({
  name: "in-memory, single-user with early promotion",
  handler: await bundledHandler(new URL("../examples/in-memory/single-user.ts", import.meta.url)),
  strategy: "single-user",
  window: "refused",
  promises: [1],
  env: { EARLY_PROMOTION: "true" },
  target: () => inMemoryTarget("single-user"),
});

rotatorConformance({
  name: "in-memory, multi-user",
  handler: await bundledHandler(new URL("../examples/in-memory/multi-user.ts", import.meta.url)),
  strategy: "multi-user",
  window: "none",
  target: () => inMemoryTarget("multi-user"),
});
