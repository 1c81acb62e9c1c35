import type { BenchEngine } from "./engine.ts";

/** What can be measured, by the name that the command line and build/bench.json give it. Only what is asked for is loaded. */
const engines = {
  postgres: () => import("./engines/postgres.ts"),
  mysql: () => import("./engines/mysql.ts"),
  mariadb: () => import("./engines/mariadb.ts"),
  documentdb: () => import("./engines/documentdb.ts"),
  redshift: () => import("./engines/redshift.ts"),
  template: () => import("./engines/template.ts"),
} satisfies Record<string, () => Promise<{ engine: BenchEngine }>>;

export type EngineName = keyof typeof engines;
export const engineNames = Object.keys(engines) as EngineName[];

export async function engineNamed(name: EngineName): Promise<BenchEngine> {
  return (await engines[name]()).engine;
}
