import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundledHandler } from "@quarterturn-tools/bundle/bundled-handler";
import { afterAll, describe, expect, test, vi } from "vitest";
import { inMemoryTarget } from "../examples/in-memory/target.ts";
import { type ConformanceCase, runCase } from "../src/conformance-case.ts";
import { conformanceCases } from "../src/conformance-cases.ts";
import { type ConformanceOptions, type Harness, startHarness } from "../src/harness.ts";
import type { Strategy, Target } from "../src/target.ts";
import { leftSecretName } from "./left-secret.ts";

interface Catch {
  /** As broken-rotator.ts has it. */
  readonly flaw: string;
  readonly strategy: Strategy;
  /** How the name of the case begins. */
  readonly caughtBy: string;
  /** What the case must say. */
  readonly saying: RegExp;
}

const single = (flaw: string, caughtBy: string, saying: RegExp): Catch => ({
  flaw,
  strategy: "single-user",
  caughtBy,
  saying,
});
const multi = (flaw: string, caughtBy: string, saying: RegExp): Catch => ({
  flaw,
  strategy: "multi-user",
  caughtBy,
  saying,
});

/** What every other broken rotator does right. */
const isWritten = "createSecret writes";

const catches: readonly Catch[] = [
  single("keeps the password", "each of three rotations", /password must be another/),
  single("does not finish", "the service's own rotations", /AWSCURRENT has not moved/),
  multi("changes the password of the user in use too", "an application that logs in", /AWSCURRENT must log in/),
  single("loses the RotationToken", isWritten, /\+ actual|undefined/),
  single("swallows a refused login in testSecret", "testSecret refuses", /must fail with credentials-rejected/),
  single("repairs in testSecret", "testSecret changes nothing", /testSecret after createSecret changed something/),
  single("leaves a secret behind", "testSecret changes nothing", /left behind by testSecret/),
  single("leaves a secret behind", "killed before and after", /left behind after the retry/),
  single("refuses to test what is current", "a lone testSecret", /testSecret failed/),
  single("sets a password only once", "every step may be called twice", /setSecret.*credentials-rejected/s),
  single(
    "writes another pending version in a retry",
    "every step may be called twice",
    /createSecret.* changed something/,
  ),
  single("refuses a retried createSecret", "a rotation that is started again", /createSecret failed/),
  single("remembers in its memory how far it is", "every order", /superseded/),
  single("does not expect itself at the same time", "two invocations", /not a RotationError/),
  single("refuses a retried createSecret", "the service's own retry", /RotationFailed/),
  single(
    "reports success where nothing is staged",
    "a step that is called before createSecret",
    /must fail with not-staged/,
  ),
  single("reports success where it was superseded", "a step of an earlier rotation", /must fail with superseded/),
  single("sets a wrong password first", "killed before and after", /must log in after the kill/),
  single("gives up at the third try", "killed before and after", /setSecret, killed \d times and called again, failed/),
  multi("promotes a half-made twin", "killed before and after", /must log in after the retry.*'powerless'/s),
  single("moves AWSCURRENT whatever happened", "a value that somebody puts", /must fail with not-staged/),
  single("moves AWSCURRENT whatever happened", "a rotation that is abandoned", /must fail with not-staged/),
  single("ignores AWSPREVIOUS", "AWSCURRENT, moved back", /credentials-rejected/),
  multi("sets the password of the user in use", "AWSCURRENT, moved back", /setSecret must fail with superseded/),
  single("refuses what is done already", "a rotation that somebody finishes", /superseded/),
  single("stops in the middle when rotation is turned off", "a rotation that is cancelled", /not-enabled/),
  single("does not care whether rotation is on", "createSecret of a cancelled rotation", /must fail with not-enabled/),
  single("ignores AWSPREVIOUS", "the rotation after a rolled-back one", /credentials-rejected/),
  multi(
    "touches whatever user is pending",
    "a pending version for another user",
    /setSecret must fail with wrong-target/,
  ),
  single("uses whatever user AWSPREVIOUS names", "the credentials of another user", /must fail with wrong-target/),
  multi("trusts any admin secret", "an admin secret that is missing", /for another port: setSecret must fail/),
  multi(
    "takes any account for the twin that has its name",
    "an account that merely has the name",
    /twin's: setSecret must fail with wrong-target.*original's: setSecret must fail with wrong-target/s,
  ),
  single("takes any value", "a secret that cannot be used", /createSecret must fail with bad-secret/),
  single("takes any value", "a pending version that cannot be used", /must fail with bad-secret/),
  single("takes any event", "an event that is no rotation event", /must fail with bad-event/),
  single("waits for ever", "a server that cannot be reached", /silent.*timed-out/s),
  single(
    "takes a label that it may not move for moved",
    "an error or a missing answer of Secrets Manager",
    /UpdateSecretVersionStage.*must fail with privilege/s,
  ),
  single(
    "reports success where it may not store",
    "a new value that Secrets Manager refuses to store",
    /first try.*must fail with privilege/s,
  ),
  single("connects in createSecret", "a pending version for another user", /createSecret connected/),
  single(
    "expects AWSPENDING on what it has promoted",
    "whether the service leaves AWSPENDING",
    /cleaned up: createSecret failed.*not-staged/s,
  ),
  single(
    "calls a refused password unreachable",
    "a password that the server refuses",
    /must fail with credentials-rejected/,
  ),
  single("drops unknown keys", "everything in the secret", /changed more than username and password/),
  multi("escapes names by hand", "hostile user names", /"o'brien": setSecret/),
  single("escapes passwords by hand", "hostile passwords", /quote.*testSecret/s),
  single("writes the password", "no secret value", /A secret value was written/),
  single("writes the password in base64", "no secret value", /A secret value was written/),
];

/** Shared, so that a process that is started for one flaw loads what another has compiled. */
const compiled = mkdtempSync(join(tmpdir(), "conformance-self-test-"));
afterAll(() => rmSync(compiled, { recursive: true }));

/** Milliseconds. */
const timeout = 120_000;

function caseNamed(beginning: string): ConformanceCase {
  const [found, ...others] = conformanceCases.filter(({ name }) => name.startsWith(beginning));
  if (!found || others.length > 0) throw new Error(`Not one case begins with "${beginning}"`);
  return found;
}

/** A TypeScript source, which runs as it is. */
const good = new URL("../examples/in-memory/single-user.ts", import.meta.url);
const broken = await bundledHandler(new URL("./broken-rotator.ts", import.meta.url));

function harnessOf(
  strategy: Strategy,
  handler: URL,
  env: Record<string, string> = {},
  target = inMemoryTarget(strategy),
): Promise<Harness> {
  const options: ConformanceOptions = {
    name: strategy,
    handler,
    strategy,
    window: strategy === "single-user" ? "refused" : "none",
    env: { NODE_COMPILE_CACHE: compiled, ...env },
    target: async (secretsManagers) => ({
      ...(await target),
      leftovers: (secretId) => leftBehind(secretId, secretsManagers),
    }),
  };
  return startHarness(options);
}

/** The secret that "leaves a secret behind" leaves, if it is there. */
async function leftBehind(secretId: string, endpoints: readonly string[]): Promise<readonly string[]> {
  const name = leftSecretName(secretId);
  const headers = { "content-type": "application/x-amz-json-1.1", "x-amz-target": "secretsmanager.DescribeSecret" };
  const request = { method: "POST", headers, body: JSON.stringify({ SecretId: name }) };
  const answers = await Promise.all(endpoints.map((endpoint) => fetch(endpoint, request)));
  return answers.some(({ ok }) => ok) ? [name] : [];
}

describe("the case catches the rotator that", { timeout }, () => {
  test.concurrent.each(catches)("$flaw: $caughtBy", async ({ flaw, strategy, caughtBy, saying }) => {
    await using harness = await harnessOf(strategy, broken, { FLAW: flaw });
    // It is broken in this way and not altogether.
    if (caughtBy !== isWritten) await runCase(caseNamed(isWritten), harness, vi.fn());
    await expect(runCase(caseNamed(caughtBy), harness, vi.fn())).rejects.toThrow(saying);
  });

  test("every case has caught one", () => {
    const used = new Set(catches.map(({ caughtBy }) => caseNamed(caughtBy)));
    expect(conformanceCases.filter((each) => !used.has(each))).toEqual([]);
  });
});

describe("a suite that ran nothing fails", () => {
  test("a case without a scenario", async () => {
    await using harness = await harnessOf("single-user", good);
    const empty: ConformanceCase = { name: "empty", promise: 1, run: async () => {} };
    await expect(runCase(empty, harness, vi.fn())).rejects.toThrow('"empty" ran nothing');
  });

  test("a table without rows", async () => {
    await using harness = await harnessOf("single-user", good);
    await expect(harness.each([], String, async () => undefined)).rejects.toThrow("nothing to run");
  });

  test("a module that does not load", async () => {
    await using harness = await harnessOf("single-user", new URL("./no-such-module.ts", import.meta.url));
    await expect(runCase(caseNamed("each of three"), harness, vi.fn())).rejects.toThrow("did not load");
  });
});

test("a secret value in the server's own log is found", { timeout }, async () => {
  const target = await inMemoryTarget("single-user");
  const log: string[] = [];
  const logging: Target = {
    ...target,
    async createAccount(wish) {
      const account = await target.createAccount(wish);
      log.push(`ALTER USER x PASSWORD '${account.secret.password}'`);
      return account;
    },
    serverLog: async () => log.join("\n"),
  };
  await using harness = await harnessOf("single-user", good, {}, Promise.resolve(logging));
  const search = runCase(caseNamed("no secret value"), harness, vi.fn());
  await expect(search).rejects.toThrow("A secret value was in the server's log");
});

test("a fault that the target does not play is reported with the reason", { timeout }, async () => {
  const { tlsFaults, ...target } = await inMemoryTarget("single-user");
  const play = () => Promise.reject(new Error("started"));
  const played = {
    "speaks-no-tls": play,
    "expired-certificate": "there is none",
    "foreign-certificate": "there is none",
  };
  const some: Target = { ...target, tlsFaults: { ...played, "other-host-name": String(tlsFaults) } };
  await using harness = await harnessOf("single-user", good, {}, Promise.resolve(some));
  const report = vi.fn();
  await expect(runCase(caseNamed("a server that cannot be reached"), harness, report)).rejects.toThrow(
    /1 of 4 failed\nspeaks-no-tls: started$/,
  );
  expect(report.mock.calls).toEqual([
    ["not judged (there is none): expired-certificate; foreign-certificate"],
    ["not judged (its protocol has no TLS): other-host-name"],
  ]);
});

test("the crash matrix has a point before the first request or turn of a step, and after each", {
  timeout,
}, async () => {
  await using harness = await harnessOf("single-user", good);
  const report = vi.fn();
  await runCase(caseNamed("killed before"), harness, report);
  expect(report).toHaveBeenCalledExactlyOnceWith(
    "15 points, each killed once (createSecret 4, setSecret 5, testSecret 3, finishSecret 3); one retry after another killed (createSecret 3, setSecret 4, testSecret 2, finishSecret 2)",
  );
});
