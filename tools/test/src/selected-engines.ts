/** The tests that need an engine, by the engine's name. Tests that need none are everywhere else. */
const testsOf = {
  postgres: [
    "packages/rds-postgres/**",
    "packages/redshift/test/**",
    "packages/cli/test/{cancel,doctor,doctor-engines,local,permissions,recover,replica,rollback,second-look,stage}.test.ts",
    "tools/engines/src/postgres*.test.ts",
    "tools/engines/src/supervised-server.test.ts",
    "tools/{bench,demo}/test/{postgres,redshift}.test.ts",
    "packages/cache/test/pg-pool.test.ts",
    "tools/bundle/test/{lazy-file,deployed/rds-postgres,deployed/redshift}.test.ts",
    "tools/release/test/release.test.ts",
  ],
  mysql: [
    "packages/rds-mysql/test/**",
    "packages/cli/test/{discard-old,doctor-engines,engines}.test.ts",
    "tools/{bench,demo}/test/mysql.test.ts",
    "tools/bundle/test/deployed/rds-mysql.test.ts",
    "tools/release/test/release.test.ts",
    "tools/engines/src/mysql*.test.ts",
    "packages/cache/test/mysql2-pool.test.ts",
  ],
  mariadb: [
    "packages/rds-mysql/test/{mariadb,bad-input}.test.ts",
    "tools/{bench,demo}/test/mariadb.test.ts",
    "tools/engines/src/mysql*.test.ts",
  ],
  mongo: [
    "packages/documentdb/test/**",
    "packages/cli/test/{doctor-engines,engines}.test.ts",
    "tools/{bench,demo}/test/documentdb.test.ts",
    "tools/bundle/test/deployed/documentdb.test.ts",
    "tools/release/test/release.test.ts",
    "tools/engines/src/{ferretdb,mongodb}*.test.ts",
    "packages/cache/test/mongo-client.test.ts",
  ],
} as const;

export type EngineName = keyof typeof testsOf;
const names = Object.keys(testsOf) as EngineName[];

/** Names that people know, and the engine whose tests are meant with them. */
const containedIn: Readonly<Record<string, EngineName>> = {
  postgresql: "postgres",
  redshift: "postgres",
  documentdb: "mongo",
  mongodb: "mongo",
  ferretdb: "mongo",
};

/** Which engines the tests may start: the names in ENGINES, separated by commas, or all. @throws Error for a name that is none */
export function selectedEngines(env: NodeJS.ProcessEnv): readonly EngineName[] {
  const wanted = env.ENGINES?.split(",").map((name) => name.trim());
  const unknown = wanted?.filter((name) => !names.some((each) => each === name)) ?? [];
  if (unknown.length > 0) {
    const contained = unknown.flatMap((name) => {
      const engine = containedIn[name];
      return engine === undefined ? [] : [` The tests of ${name} are run with ${engine}.`];
    });
    throw new Error(`ENGINES names ${unknown.join(", ")}. There are: ${names.join(", ")}.${contained.join("")}`);
  }
  return names.filter((name) => wanted?.includes(name) ?? true);
}

/** Glob patterns of the tests that need an engine that is not selected. */
export function testsLeftOut(env: NodeJS.ProcessEnv): readonly string[] {
  const selected = selectedEngines(env);
  return names.filter((name) => !selected.includes(name)).flatMap((name) => testsOf[name]);
}

/**
 * The same for vitest's configuration, which says what is left out however vitest was started. For a name that is none it ends the process:
 * vitest would put a stack trace around the words.
 */
export function leaveOutTests(env: NodeJS.ProcessEnv): readonly string[] {
  try {
    const selected = selectedEngines(env);
    const left = names.filter((name) => !selected.includes(name));
    if (left.length > 0) console.error(`ENGINES leaves out ${left.join(", ")}, with their tests.`);
    return testsLeftOut(env);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(2);
  }
}
