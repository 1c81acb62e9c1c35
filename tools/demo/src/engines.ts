import type { DemoEngine } from "./engine.ts";

/** What the demo can show, by the name that the command line gives it. Only what is asked for is loaded. */
const engines = {
  postgres: () => import("./engines/postgres.ts"),
  mysql: () => import("./engines/mysql.ts"),
  mariadb: () => import("./engines/mariadb.ts"),
  documentdb: () => import("./engines/documentdb.ts"),
  redshift: () => import("./engines/redshift.ts"),
  template: () => import("./engines/template.ts"),
} satisfies Record<string, () => Promise<{ engine: DemoEngine }>>;

export type EngineName = keyof typeof engines;
export const engineNames = Object.keys(engines) as EngineName[];

export async function engineNamed(name: EngineName): Promise<DemoEngine> {
  return (await engines[name]()).engine;
}
