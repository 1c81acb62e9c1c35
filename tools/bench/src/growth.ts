import type { BenchFunction } from "./function.ts";
import { median } from "./statistics.ts";
import type { World } from "./world.ts";

/** How long setSecret of the multi-user strategy takes for a user with rights on so many tables, in milliseconds (median). */
export interface Growth {
  readonly tables: number;
  /** When the twin does not exist yet. */
  readonly newTwinMs: number;
  /** When both exist: the original's turn. */
  readonly originalMs: number;
}

const rounds = 10;

/** @param by a warm function of the multi-user strategy */
export async function growth(world: World, by: BenchFunction, tables: number): Promise<Growth> {
  const user = `with_${tables}_tables`;
  const account = await world.createAccount(user);
  await grantTables(world, user, tables);
  const setSecretMs = async () => {
    const steps = await world.rotate(account, by);
    return steps.find(({ step }) => step === "setSecret")?.totalMs ?? Number.NaN;
  };
  const newTwin: number[] = [];
  const original: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await world.admin.query(`DROP ROLE IF EXISTS ${user}_clone`);
    newTwin.push(await setSecretMs());
    original.push(await setSecretMs());
  }
  return { tables, newTwinMs: median(newTwin), originalMs: median(original) };
}

/** The tables are somebody else's, so that the user's rights are grants. */
async function grantTables({ admin }: World, user: string, tables: number): Promise<void> {
  await admin.query(`CREATE SCHEMA of_${user}`);
  // A transaction holds a lock for each table that it makes, and there are not enough for all.
  await admin.query(`DO $$ BEGIN
    FOR i IN 1..${tables} LOOP
      EXECUTE format('CREATE TABLE of_${user}.table_%s ()', i);
      IF i % 500 = 0 THEN COMMIT; END IF;
    END LOOP;
  END $$`);
  await admin.query(`GRANT USAGE ON SCHEMA of_${user} TO ${user}`);
  await admin.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA of_${user} TO ${user}`);
}
