import { rotatorConformance } from "@quarterturn/conformance";
import { bundledHandler } from "@quarterturn-tools/bundle/bundled-handler";
import { mysqlTarget } from "./target.ts";

rotatorConformance({
  name: "rds-mysql, single-user with OLD_PASSWORD=discard",
  handler: await bundledHandler(new URL("../../src/single-user.ts", import.meta.url)),
  strategy: "single-user",
  window: "none",
  previous: "ended",
  promises: [1, 2],
  env: { OLD_PASSWORD: "discard" },
  target: () => mysqlTarget("single-user"),
});
