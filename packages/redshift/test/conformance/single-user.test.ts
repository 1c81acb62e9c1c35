import { rotatorConformance } from "@quarterturn/conformance";
import { redshiftTarget } from "./target.ts";

rotatorConformance({
  name: "redshift, single-user, by wire",
  handler: new URL("../../src/single-user.ts", import.meta.url),
  strategy: "single-user",
  window: "refused",
  target: () => redshiftTarget("single-user"),
});
