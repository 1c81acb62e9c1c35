import type { BenchFunction } from "./function.ts";
import { median } from "./statistics.ts";
import type { Account, World } from "./world.ts";

/** How long setSecret of the multi-user strategy takes for a user with rights on so many tables, in milliseconds (median). */
export interface Growth {
  readonly tables: number;
  /** When the twin does not exist yet. */
  readonly newTwinMs: number;
  /** When both exist: the original's turn. */
  readonly originalMs: number;
}

const rounds = 15;

/** The sizes take turns, so that what else the machine does is shared by all. @param by a warm function of the multi-user strategy */
export async function growth(world: World, by: BenchFunction, sizes: readonly number[]): Promise<Growth[]> {
  const users = [];
  for (const tables of sizes) {
    const account = await world.createAccount(`with_${tables}_tables`);
    await grantTables(world, account, tables);
    users.push({ tables, account, newTwin: [] as number[], original: [] as number[] });
  }
  for (let round = 0; round < rounds; round++) {
    for (const { account, newTwin, original } of users) {
      await world.admin.query(`DROP ROLE IF EXISTS ${account.username}_clone`);
      newTwin.push(await setSecretMs(world, account, by));
      original.push(await setSecretMs(world, account, by));
    }
  }
  return users.map(({ tables, newTwin, original }) => ({
    tables,
    newTwinMs: median(newTwin),
    originalMs: median(original),
  }));
}

async function setSecretMs(world: World, account: Account, by: BenchFunction): Promise<number> {
  const steps = await world.rotate(account, by);
  return steps.find(({ step }) => step === "setSecret")?.totalMs ?? Number.NaN;
}

/** The tables are somebody else's, so that the user's rights are grants. */
async function grantTables({ admin }: World, { username }: Account, tables: number): Promise<void> {
  const schema = `of_${username}`;
  await admin.query(`CREATE SCHEMA ${schema}`);
  // A transaction holds a lock for each table that it makes, and there are not enough for all.
  await admin.query(`DO $$ BEGIN
    FOR i IN 1..${tables} LOOP
      EXECUTE format('CREATE TABLE ${schema}.table_%s ()', i);
      IF i % 500 = 0 THEN COMMIT; END IF;
    END LOOP;
  END $$`);
  await admin.query(`GRANT USAGE ON SCHEMA ${schema} TO ${username}`);
  await admin.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${schema} TO ${username}`);
}
