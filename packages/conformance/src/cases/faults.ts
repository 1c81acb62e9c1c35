import assert from "node:assert/strict";
import type { ErrorCode } from "@quarterturn/core";
import { before, refuseCurrent } from "../availability.ts";
import type { ConformanceCase } from "../conformance-case.ts";
import { type NetworkFault, networkFaults } from "../database-proxy.ts";
import { type Scenario, withPassword } from "../scenario.ts";
import type { TlsFault } from "../target.ts";

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
  async run(harness) {
    const declared = Object.keys(harness.target.tlsFaults ?? {}) as TlsFault[];
    // An early promotion leaves nothing for testSecret to reach.
    const later = harness.promotesEarly ? (["setSecret"] as const) : (["setSecret", "testSecret"] as const);
    const steps = harness.options.credentials === "issued" ? (["createSecret", ...later] as const) : later;
    const items = [...networkFaults, ...declared].flatMap((fault) => steps.map((step) => ({ fault, step })));
    await harness.each(
      items,
      ({ fault, step }) => `${fault}, in ${step}`,
      async (scenario, { fault, step }) => {
        const rotation = await scenario.startRotation();
        await scenario.succeed(rotation, before(step));
        await using _server = await play(scenario, fault);
        const options = { remainingMs: shortDeadline, what: fault };
        const error = await scenario.refuse(step, rotation, codesOf[fault], options);
        const { host } = scenario.target.address;
        assert.ok(error.message.includes(host), `The message must name the host: ${error.message}`);
        await repair(scenario);
        await scenario.succeed(rotation);
        await scenario.mustHaveFinished(rotation, "after the server is back");
      },
    );
  },
};

/** Puts the fault before the scenario's database. */
async function play(scenario: Scenario, fault: NetworkFault | TlsFault): Promise<AsyncDisposable> {
  const { database } = scenario.lane;
  const network = networkFaults.find((each) => each === fault);
  if (network) {
    await database.play(network);
    return { [Symbol.asyncDispose]: () => repair(scenario) };
  }
  const start = scenario.target.tlsFaults?.[fault as TlsFault];
  if (!start) throw new Error(`The target declares no ${fault}`);
  const faulty = await start();
  database.forwardTo(faulty.at);
  return { [Symbol.asyncDispose]: () => faulty.close() };
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
