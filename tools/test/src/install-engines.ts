/**
 * Before `npm test`: starts each selected engine once, so that what is fetched or built for it, minutes of work on a new machine, is there
 * before a test waits for it. The judges of the SAM templates are fetched meanwhile.
 */
import { startFerretdb, startMariadb, startMysql } from "@quarterturn-tools/engines";
import { installJudges } from "@quarterturn-tools/sam/judges";
import { selectedEngines } from "./selected-engines.ts";

// PostgreSQL's servers came with `npm ci`.
const starts = { mysql: startMysql, mariadb: startMariadb, mongo: startFerretdb };

const judges = installJudges().then(
  () => "ready",
  // The tests that need them fail with the same words; the others need no python3.
  (error: Error) => error.message,
);

try {
  for (const name of selectedEngines(process.env)) {
    if (name === "postgres") continue;
    const started = performance.now();
    await using server = await starts[name]();
    console.log(`${name} ${server.version}: ready after ${Math.round((performance.now() - started) / 1_000)} s`);
  }
  console.log(`judges of the SAM templates: ${await judges}`);
} catch (error) {
  console.log(error instanceof Error ? error.message : String(error));
  console.log("\n0 passed, 1 failed");
  process.exitCode = 1;
}
