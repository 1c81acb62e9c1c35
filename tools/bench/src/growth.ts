import type { GrowthCase } from "./engine.ts";
import type { BenchFunction } from "./function.ts";
import { median } from "./statistics.ts";
import type { Account, World } from "./world.ts";

/** How long setSecret of the multi-user strategy takes for a user with rights on so many tables, in milliseconds (median). */
export interface Growth {
  /** How the twin gets the rights. */
  readonly name: string;
  readonly tables: number;
  /** When the twin does not exist yet. */
  readonly newTwinMs: number;
  /** When both exist: the twin's turn, and the original's. */
  readonly twinMs: number;
  readonly originalMs: number;
}

const sizes = [10, 1_000, 10_000];

/** The sizes take turns, so that what else the machine does is shared by all. @param by a warm function of the multi-user strategy */
export async function growth(
  world: World,
  by: BenchFunction,
  { name, rounds, grantTables }: GrowthCase,
  dropUser: (username: string) => Promise<void>,
): Promise<Growth[]> {
  const users = [];
  for (const tables of sizes) {
    const account = await world.createAccount(`${name.replaceAll(" ", "_").slice(0, 10)}_${tables}`, "multi-user");
    await grantTables(account.username, tables);
    users.push({ tables, account, newTwin: [] as number[], twin: [] as number[], original: [] as number[] });
  }
  for (let round = 0; round < rounds; round++) {
    for (const { account, newTwin, twin, original } of users) {
      await dropUser(`${account.username}_clone`);
      newTwin.push(await setSecretMs(world, account, by));
      original.push(await setSecretMs(world, account, by));
      twin.push(await setSecretMs(world, account, by));
      // The next round begins with the original's credentials.
      await world.rotate(account, by);
    }
  }
  return users.map(({ tables, newTwin, twin, original }) => ({
    name,
    tables,
    newTwinMs: median(newTwin),
    twinMs: median(twin),
    originalMs: median(original),
  }));
}

async function setSecretMs(world: World, account: Account, by: BenchFunction): Promise<number> {
  const steps = await world.rotate(account, by);
  return steps.find(({ step }) => step === "setSecret")?.totalMs ?? Number.NaN;
}
