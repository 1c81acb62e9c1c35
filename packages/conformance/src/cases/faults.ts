import assert from "node:assert/strict";
import type { ErrorCode, Step } from "@quarterturn/core";
import { before, refuseCurrent } from "../availability.ts";
import type { ConformanceCase } from "../conformance-case.ts";
import { type NetworkFault, networkFaults } from "../database-proxy.ts";
import { judged } from "../judged.ts";
import { type Scenario, withPassword } from "../scenario.ts";
import { type Target, type TlsFault, tlsFaults } from "../target.ts";

/** What an invocation gets here, in milliseconds: a server that never answers must be reported before it is over. */
const shortDeadline = 3_000;

const codesOf: Readonly<Record<NetworkFault | TlsFault, readonly ErrorCode[]>> = {
  closed: ["unreachable"],
  silent: ["timeout"],
  resets: ["unreachable"],
  "speaks-no-tls": ["tls"],
  "expired-certificate": ["tls"],
  "foreign-certificate": ["tls"],
  "other-host-name": ["tls"],
};

const server: ConformanceCase = {
  name: "a server that cannot be reached or verified is named before the deadline, nothing changes, and the retry succeeds",
  promise: 5,
  async run(harness, report) {
    const playable = judged(tlsFaults, String, (fault) => whyNot(harness.target, fault), report);
    const nothingLeft = harness.promotesEarly ? "an early promotion leaves it nothing to reach" : undefined;
    const whyNotIn = (step: Step) => (step === "testSecret" ? nothingLeft : undefined);
    const later = judged(["setSecret", "testSecret"] as const, String, whyNotIn, report);
    const steps = harness.options.credentials === "issued" ? (["createSecret", ...later] as const) : later;
    await harness.each([...networkFaults, ...playable], String, async (scenario, fault) => {
      await using played = await prepare(scenario, fault);
      const rotation = await scenario.startRotation();
      for (const step of steps) {
        await scenario.succeed(rotation, before(step));
        await played.begin();
        const options = { remainingMs: shortDeadline, what: fault };
        const error = await scenario.refuse(step, rotation, codesOf[fault], options);
        const { host } = scenario.target.address;
        assert.ok(error.message.includes(host), `The message must name the host: ${error.message}`);
        await repair(scenario);
      }
      await scenario.succeed(rotation);
      await scenario.mustHaveFinished(rotation, "after the server is back");
    });
  },
};

/** The target's reason for not playing a fault. */
function whyNot({ tlsFaults: played }: Target, fault: TlsFault): string | undefined {
  const how = typeof played === "string" ? played : played[fault];
  return typeof how === "string" ? how : undefined;
}

interface PlayedFault extends AsyncDisposable {
  /** Puts the fault before the scenario's database, until that is repaired. */
  begin(): Promise<void>;
}

async function prepare(scenario: Scenario, fault: NetworkFault | TlsFault): Promise<PlayedFault> {
  const { database } = scenario.lane;
  const network = networkFaults.find((each) => each === fault);
  if (network) return { begin: () => database.play(network), [Symbol.asyncDispose]: () => repair(scenario) };
  const played = scenario.target.tlsFaults;
  const start = typeof played === "string" ? played : played[fault as TlsFault];
  if (typeof start === "string") throw new Error(`The target plays no ${fault}: ${start}`);
  const faulty = await start();
  return { begin: async () => database.forwardTo(faulty.at), [Symbol.asyncDispose]: () => faulty.close() };
}

async function repair({ lane, target }: Scenario): Promise<void> {
  await lane.database.play(undefined);
  lane.database.forwardTo(target.reachedAt ?? target.address);
}

const password: ConformanceCase = {
  name: "a password that the server refuses is reported as that, with user and host, and nothing changes",
  promise: 5,
  run: (harness) =>
    harness.scenario(
      async (scenario) => {
        const rotation = await scenario.startRotation();
        const error = await refuseCurrent(harness, scenario, rotation, ["credentials-rejected"]);
        const { host } = scenario.target.address;
        const user = String(scenario.account.secret.username);
        for (const named of harness.secretKeys.has("username") ? [host, user] : [host]) {
          assert.ok(error.message.includes(named), `The message must name ${named}: ${error.message}`);
        }
      },
      { text: withPassword(harness.options, "not-the-password") },
    ),
};

export const faultCases = [server, password] as const;
