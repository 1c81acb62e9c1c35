import { POSTGRES_VERSIONS, startFerretdb, startMariadb, startMysql, startPostgres } from "@quarterturn-tools/engines";
import type { Reporter, SerializedError, TestModule } from "vitest/node";
import { type EngineName, selectedEngines } from "./selected-engines.ts";

/**
 * What `npm test` says besides vitest's own report: first the engines that the tests run against, each started once to ask its version,
 * so that one that cannot start ends the run with its reason; last one line for machines, in which whatever did not pass has failed.
 */
export default class ClosingLine implements Reporter {
  async onInit(): Promise<void> {
    const selected = selectedEngines(process.env);
    const versions: string[] = [];
    for (const name of selected) versions.push(await engines[name]());
    console.log(`Engines: ${versions.join("; ")}`);
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const { passed, failed } = closingCount(modules.map(outcomeOf), unhandledErrors.length);
    if (failed > 0) process.exitCode = 1;
    console.log(`\n${passed} passed, ${failed} failed`);
  }
}

/** What became of one test file. */
export interface ModuleOutcome {
  /** The states of its tests. */
  readonly tests: readonly string[];
  /** Errors outside of tests: of a hook, of an import. */
  readonly errors: number;
}

/** Tests that passed; and as failed everything else, what was skipped or never ran included, and a run without any test. */
export function closingCount(
  modules: readonly ModuleOutcome[],
  unhandledErrors: number,
): { passed: number; failed: number } {
  const tests = modules.flatMap((module) => module.tests);
  const passed = tests.filter((state) => state === "passed").length;
  const brokenModules = modules.filter(({ tests, errors }) => errors > 0 || tests.length === 0).length;
  return { passed, failed: tests.length - passed + brokenModules + unhandledErrors + (tests.length === 0 ? 1 : 0) };
}

function outcomeOf(module: TestModule): ModuleOutcome {
  const suites = [...module.children.allSuites()];
  return {
    tests: [...module.children.allTests()].map((test) => test.result().state),
    errors: module.errors().length + suites.reduce((sum, suite) => sum + suite.errors().length, 0),
  };
}

/** Starts each version of an engine, and returns what they say they are. */
const engines: Readonly<Record<EngineName, () => Promise<string>>> = {
  async postgres() {
    const versions: string[] = [];
    for (const version of POSTGRES_VERSIONS) {
      await using server = await startPostgres({ version });
      versions.push(server.version);
    }
    return `PostgreSQL ${versions.join(", ")}`;
  },
  async mysql() {
    await using server = await startMysql();
    return `MySQL ${server.version}`;
  },
  async mariadb() {
    await using server = await startMariadb();
    return `MariaDB ${server.version}`;
  },
  async mongo() {
    await using server = await startFerretdb();
    return `MongoDB's protocol: ${server.version}`;
  },
};
