/** The tests that need an engine, by the engine's name. Tests that need none are everywhere else. */
const testsOf = {
  postgres: [
    "packages/rds-postgres/**",
    "packages/redshift/test/**",
    "tools/engines/src/postgres*.test.ts",
    "tools/engines/src/supervised-server.test.ts",
    "tools/{bench,demo}/test/{postgres,redshift}.test.ts",
    "tools/bundle/test/{rotation,lazy-file}.test.ts",
  ],
  mysql: [
    "packages/rds-mysql/test/**",
    "tools/{bench,bundle,demo}/test/mysql.test.ts",
    "tools/engines/src/mysql*.test.ts",
  ],
  mariadb: [
    "packages/rds-mysql/test/{mariadb,bad-input}.test.ts",
    "tools/{bench,demo}/test/mariadb.test.ts",
    "tools/engines/src/mysql*.test.ts",
  ],
  mongo: [
    "packages/documentdb/test/**",
    "tools/{bench,demo}/test/documentdb.test.ts",
    "tools/bundle/test/mongodb.test.ts",
    "tools/engines/src/{ferretdb,mongodb}*.test.ts",
  ],
} as const;

export type EngineName = keyof typeof testsOf;
const names = Object.keys(testsOf) as EngineName[];

/** Which engines the tests may start: the names in ENGINES, separated by commas, or all. @throws Error for a name that is none */
export function selectedEngines(env: NodeJS.ProcessEnv): readonly EngineName[] {
  const wanted = env.ENGINES?.split(",").map((name) => name.trim());
  const unknown = wanted?.filter((name) => !names.some((each) => each === name)) ?? [];
  if (unknown.length > 0) throw new Error(`ENGINES names ${unknown.join(", ")}. There are: ${names.join(", ")}.`);
  return names.filter((name) => wanted?.includes(name) ?? true);
}

/** Glob patterns of the tests that need an engine that is not selected. */
export function testsLeftOut(env: NodeJS.ProcessEnv): readonly string[] {
  const selected = selectedEngines(env);
  return names.filter((name) => !selected.includes(name)).flatMap((name) => testsOf[name]);
}
