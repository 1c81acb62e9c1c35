import type { BenchEngine } from "./engine.ts";
import type { Configuration, Mode, Strategy } from "./row.ts";

/** What is measured of a configuration: rotations whose time is taken, and rotations under a login loop. */
export interface Measurement extends Configuration {
  readonly timed: number;
  readonly underLogins: number;
}

const modes: readonly Mode[] = ["warm", "cold"];
const timed = { warm: 25, cold: 11 };

/** Early promotion changes nothing where the old credentials stay valid, and there it takes more rotations to show that none is refused. */
export function planOf({ windows }: Pick<BenchEngine, "windows">): readonly Measurement[] {
  return (Object.keys(windows) as Strategy[]).flatMap((strategy): Measurement[] => {
    const isRefused = windows[strategy] === "refused";
    const underLogins = isRefused ? { warm: 50, cold: 50 } : { warm: 200, cold: 20 };
    const variants = isRefused ? (["usual", "early-promotion"] as const) : (["usual"] as const);
    return variants.flatMap((variant) =>
      modes.map((mode) => ({ strategy, variant, mode, timed: timed[mode], underLogins: underLogins[mode] })),
    );
  });
}
