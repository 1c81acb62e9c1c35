import { rotatorConformance } from "@quarterturn/conformance";
import { redshiftTarget } from "./target.ts";

rotatorConformance({
  name: "redshift, multi-user, by wire",
  handler: new URL("../../src/multi-user.ts", import.meta.url),
  strategy: "multi-user",
  window: "none",
  target: () => redshiftTarget("multi-user"),
});
