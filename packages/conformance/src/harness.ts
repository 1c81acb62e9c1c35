import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { Lane } from "./lane.ts";
import { Scenario, type Wish } from "./scenario.ts";
import { startService } from "./service.ts";
import type { Address, Strategy, Target } from "./target.ts";

/** What the suite must know of a rotator. */
export interface ConformanceOptions {
  /** The rotator's name, e.g. `rds-postgres, single-user`. */
  readonly name: string;
  /** A module that exports the Lambda handler as `handler`. */
  readonly handler: URL;
  readonly strategy: Strategy;
  /**
   * Whether AWSCURRENT's credentials may be refused from setSecret until finishSecret: `refused` for a single user with one password,
   * `none` for everything else. Promise 1 is judged by it.
   */
  readonly window: "refused" | "none";
  /**
   * `valid` (if absent): without a window AWSPREVIOUS's credentials stay valid until the next rotation. `ended`: finishSecret ends them
   * (core's `retire`), so that nobody can roll back.
   */
  readonly previous?: "valid" | "ended";
  /**
   * `chosen` (if absent): passwords that the rotator makes and sets. `issued`: keys that the system makes, which are valid from createSecret
   * on; the target then needs `issuedTo`.
   */
  readonly credentials?: "chosen" | "issued";
  /** `json` (if absent): the secret is a JSON object. `plain`: its text is the password alone; single-user only. */
  readonly text?: "json" | "plain";
  /**
   * Which promises are judged (if absent: all). For a variant, with other settings or another admin, of a rotator that another call judges
   * in full: what its secrets look like and what it refuses need not be shown twice.
   */
  readonly promises?: readonly PromiseNumber[];
  /** The function's environment variables; `at` is the address that secrets have, for a function that knows it from there. */
  readonly env?: Environment | ((at: Address) => Environment);
  /**
   * Starts the real system behind the secrets, once for the suite.
   *
   * @param secretsManagers the URLs of the endpoints that have the suite's secrets, for a system that reads secrets itself
   */
  readonly target: (secretsManagers: readonly string[]) => Promise<Target>;
}

/** The project's promises, see the README. */
export type PromiseNumber = 1 | 2 | 3 | 4 | 5 | 6;

type Environment = Readonly<Record<string, string>>;

/** What was written while a scenario ran, and what must not be in it. */
interface Transcript {
  readonly scenario: string;
  readonly written: readonly string[];
  readonly secrets: readonly string[];
}

/** Runs scenarios for the cases: the target, the service, and as many lanes as the machine has cores for. */
export interface Harness extends AsyncDisposable {
  readonly options: ConformanceOptions;
  readonly target: Target;
  /** The keys that a secret of the target has; of a plain-text one `password` alone. */
  readonly secretKeys: ReadonlySet<string>;
  /** EARLY_PROMOTION is on. */
  readonly promotesEarly: boolean;
  /** Of every scenario that has run. */
  readonly transcripts: readonly Transcript[];
  /** Runs one scenario. */
  scenario<T>(run: (scenario: Scenario) => Promise<T>, wish?: Wish): Promise<T>;
  /**
   * Runs a scenario for each item, side by side.
   * @throws Error naming the items that failed; Error where there is no item
   */
  each<T>(
    items: readonly T[],
    named: (item: T) => string,
    run: (scenario: Scenario, item: T) => Promise<void>,
    wish?: (item: T) => Wish,
  ): Promise<void>;
}

export async function startHarness(options: ConformanceOptions): Promise<Harness> {
  await using opened = new AsyncDisposableStack();
  const services = {
    usual: opened.use(await startService("usual")),
    endsEarly: opened.use(await startService("endsEarly")),
    cleansUp: opened.use(await startService("cleansUp")),
  };
  const target = opened.use(await options.target(Object.values(services).map(({ endpoint }) => endpoint.url)));
  if (options.credentials === "issued" && !target.issuedTo)
    throw new Error("Where keys are issued, the target must count them");
  const folder = await mkdtemp(join(tmpdir(), "conformance-"));
  opened.defer(() => rm(folder, { recursive: true }));
  const own = (at: Address) => (typeof options.env === "function" ? options.env(at) : options.env);
  const env = (at: Address) => ({
    ...(target.caFile === undefined ? {} : { NODE_EXTRA_CA_CERTS: target.caFile }),
    // Every process after the first loads in half the time.
    NODE_COMPILE_CACHE: folder,
    ...own(at),
  });
  const free: Lane[] = [];
  const waiting: ((lane: Lane) => void)[] = [];
  for (let lane = 0; lane <= availableParallelism() && lane < 5; lane++) {
    free.push(opened.use(await Lane.open(options.handler, target.address.host, env)));
  }
  const sample = await target.createAccount({ at: target.address });
  const secretKeys = new Set(options.text === "plain" ? ["password"] : Object.keys(sample.secret));
  const transcripts: Transcript[] = [];

  async function scenario<T>(run: (scenario: Scenario) => Promise<T>, wish: Wish = {}): Promise<T> {
    const lane = free.pop() ?? (await new Promise<Lane>((resolve) => waiting.push(resolve)));
    try {
      const service = services[wish.habit ?? "usual"];
      const fresh = await Scenario.open(lane, target, service, wish, options);
      const result = await run(fresh);
      const written = [...fresh.written, JSON.stringify(fresh.events)];
      transcripts.push({ scenario: fresh.secretId, written, secrets: await fresh.secrets() });
      await fresh.close();
      return result;
    } finally {
      const next = waiting.shift();
      if (next) next(lane);
      else free.push(lane);
    }
  }

  const closing = opened.move();
  return {
    options,
    target,
    secretKeys,
    promotesEarly: own(target.address)?.EARLY_PROMOTION === "true",
    transcripts,
    scenario,
    async each(items, named, run, wish) {
      if (items.length === 0) throw new Error("There is nothing to run: a suite that runs nothing proves nothing");
      const results = await Promise.allSettled(items.map((item) => scenario((each) => run(each, item), wish?.(item))));
      const failures = results.flatMap((result, index) =>
        result.status === "rejected"
          ? [{ name: named(items[index] as (typeof items)[number]), reason: result.reason as unknown }]
          : [],
      );
      if (failures.length === 0) return;
      const told = failures.map(
        ({ name, reason }) => `${name}: ${reason instanceof Error ? reason.message : String(reason)}`,
      );
      // Not an AggregateError, of which vitest prints the parts only, without these names.
      throw new Error(`${failures.length} of ${items.length} failed\n${told.join("\n")}`, {
        cause: failures[0]?.reason,
      });
    },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}
