import type { BenchFunction, StepCost } from "./function.ts";
import type { Row } from "./row.ts";
import { medianBy, sum } from "./statistics.ts";
import type { Account, World } from "./world.ts";

export type RotationCost = Pick<
  Row,
  "apiCalls" | "logins" | "refusedLogins" | "rotationMs" | "apiMs" | "databaseMs" | "peakMemoryMb"
> & {
  /** Each step of each rotation. */
  readonly steps: readonly (StepCost & { readonly step: string })[];
};

/**
 * What a rotation costs while nothing else uses the two servers. Counts are the largest that were seen, times those of the median rotation.
 *
 * @param warmUp rotations that are not counted
 */
export async function rotationCost(
  world: World,
  account: Account,
  by: BenchFunction,
  { warmUp, n }: { readonly warmUp: number; readonly n: number },
): Promise<RotationCost> {
  for (let i = 0; i < warmUp; i++) await world.rotate(account, by);
  const rotations: Awaited<ReturnType<typeof countedRotation>>[] = [];
  for (let i = 0; i < n; i++) rotations.push(await countedRotation(world, account, by));
  const { rotationMs, apiMs, databaseMs } = medianBy(rotations, (rotation) => rotation.rotationMs);
  const largest = (of: (rotation: (typeof rotations)[number]) => number) => Math.max(...rotations.map(of));
  return {
    apiCalls: largest(({ apiCalls }) => apiCalls),
    logins: largest(({ logins }) => logins),
    refusedLogins: largest(({ refusedLogins }) => refusedLogins),
    rotationMs,
    apiMs,
    databaseMs,
    peakMemoryMb: largest(({ steps }) => Math.max(...steps.map((step) => step.peakMemoryMb))),
    steps: rotations.flatMap(({ steps }) => steps),
  };
}

async function countedRotation(world: World, account: Account, by: BenchFunction) {
  let apiCalls = 0;
  const stopCounting = world.endpoint.onEvent((event) => {
    if (event.kind === "api-call" && event.name !== "RotateSecret") apiCalls++;
  });
  const before = await world.server.logins();
  const steps = await world.rotate(account, by);
  stopCounting();
  const after = await world.server.logins();
  const refusedLogins = after.refused - before.refused;
  return {
    steps,
    apiCalls,
    logins: after.accepted - before.accepted + refusedLogins,
    refusedLogins,
    rotationMs: sum(steps.map(({ totalMs }) => totalMs)),
    apiMs: sum(steps.map(({ apiMs }) => apiMs)),
    databaseMs: sum(steps.map(({ databaseMs }) => databaseMs)),
  };
}
