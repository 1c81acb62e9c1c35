/**
 * Before `npm test`: starts each selected engine once, so that what is fetched or built for it, minutes of work on a new machine, is there
 * before a test waits for it.
 */
import { startFerretdb, startMariadb, startMysql } from "@quarterturn-tools/engines";
import { selectedEngines } from "./selected-engines.ts";

// PostgreSQL's servers came with `npm ci`.
const starts = { mysql: startMysql, mariadb: startMariadb, mongo: startFerretdb };

try {
  for (const name of selectedEngines(process.env)) {
    if (name === "postgres") continue;
    const started = performance.now();
    await using server = await starts[name]();
    console.log(`${name} ${server.version}: ready after ${Math.round((performance.now() - started) / 1_000)} s`);
  }
} catch (error) {
  console.log(error instanceof Error ? error.message : String(error));
  console.log("\n0 passed, 1 failed");
  process.exitCode = 1;
}
