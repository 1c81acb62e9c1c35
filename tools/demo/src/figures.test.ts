import { describe, expect, test } from "vitest";
import type { Attempt } from "./application.ts";
import { brokenPromises, disagreements, figuresOf } from "./figures.ts";
import type { Login } from "./login-log.ts";
import type { RotationRecord, StepRecord } from "./rotation.ts";

/** A rotation from 1000 to 1400, in which the password changes at about 1150 and AWSCURRENT moves at about 1350. */
function rotation(changes: Partial<RotationRecord>): RotationRecord {
  const labels = { old: ["AWSPREVIOUS"], next: ["AWSCURRENT"] };
  const step = (name: StepRecord["name"], startedAt: number): StepRecord => ({
    name,
    startedAt,
    endedAt: startedAt + 100,
    labels,
    apiCalls: ["GetSecretValue", "GetSecretValue"],
  });
  return {
    chapter: { strategy: "single-user", window: "refused" },
    before: { old: ["AWSCURRENT"] },
    requested: { old: ["AWSCURRENT"], next: ["AWSPENDING"] },
    steps: [step("createSecret", 1000), step("setSecret", 1100), step("testSecret", 1200), step("finishSecret", 1300)],
    attempts: rounds({}),
    logins: [],
    ...changes,
  };
}

/** A round of the application every 20 ms from 900 to 2000, with other outcomes at the times that are given. */
function rounds(outcomes: Readonly<Record<number, Attempt["outcome"]>>): Attempt[] {
  return Array.from({ length: 55 }, (_, index) => {
    const startedAt = 900 + 20 * index;
    const outcome = outcomes[startedAt] ?? "accepted";
    const version = startedAt < 1350 ? "old" : "next";
    return { startedAt, endedAt: startedAt + 15, version, username: "checkout", outcome, reason: outcome };
  });
}

const login = (outcome: Login["outcome"], by?: "application" | "function"): Login => ({
  time: 1150,
  outcome,
  ...(by === undefined ? {} : { by }),
});

describe("single-user keeps its promise", () => {
  test("where no login is refused", () => {
    expect(brokenPromises(rotation({}))).toEqual([]);
  });

  test("where logins are refused between setSecret and finishSecret, which the server's log confirms", () => {
    const attempts = rounds({ 1160: "refused", 1180: "refused", 1340: "refused" });
    expect(
      brokenPromises(rotation({ attempts, logins: [login("refused"), login("refused"), login("refused")] })),
    ).toEqual([]);
  });

  test("where a login is refused after finishSecret whose round had read the secret before it", () => {
    const attempts = rounds({}).map((attempt) =>
      attempt.startedAt === 1400 ? { ...attempt, version: "old", outcome: "refused" as const } : attempt,
    );
    expect(brokenPromises(rotation({ attempts, logins: [login("refused")] }))).toEqual([]);
  });
});

describe("a promise is broken", () => {
  test.each<[string, Partial<RotationRecord>, RegExp]>([
    ["by a rotation that failed", { failure: "setSecret: no" }, /failed in setSecret: no/],
    ["by a rotation without steps", { steps: [] }, /without setSecret/],
    [
      "by a refused login before setSecret",
      { attempts: rounds({ 1020: "refused" }), logins: [login("refused")] },
      /refused 1 times before setSecret or after/,
    ],
    [
      "by a refused login after finishSecret",
      { attempts: rounds({ 1420: "refused" }), logins: [login("refused")] },
      /refused 1 times before setSecret or after/,
    ],
    [
      "by a refused login in the middle of a rotation without a window",
      {
        chapter: { strategy: "single-user", window: "none" },
        attempts: rounds({ 1200: "refused" }),
        logins: [login("refused")],
      },
      /refused 1 times$/,
    ],
    ["by an application that failed otherwise", { attempts: rounds({ 1200: "failed" }) }, /application failed: failed/],
    [
      "by an application that stood still while the rotation ran",
      { attempts: rounds({}).filter(({ startedAt }) => startedAt < 1000 || startedAt > 1400) },
      /did not log in while/,
    ],
    [
      "by an application that stopped after the rotation",
      { attempts: rounds({}).filter(({ startedAt }) => startedAt < 1500) },
      /did not go on/,
    ],
    [
      "by an application that still reads the old version",
      { attempts: rounds({}).map((attempt) => ({ ...attempt, version: "old" })) },
      /did not go on/,
    ],
    [
      "by a label that did not move",
      { before: { next: ["AWSCURRENT"] }, requested: { next: ["AWSCURRENT"] } },
      /did not move/,
    ],
    ["by a refused login that is not the application's", { logins: [login("refused")] }, /1 logins that were not/],
  ])("%s", (_name, changes, words) => {
    const broken = brokenPromises(rotation(changes));
    expect(broken).toHaveLength(1);
    expect(broken[0]).toMatch(words);
  });
});

test("the window is from the start of the first refused login to the end of the next accepted one after the last", () => {
  const attempts = rounds({ 1160: "refused", 1200: "refused" });
  expect(figuresOf(rotation({ attempts })).refusedWindow).toBe(75);
  expect(figuresOf(rotation({})).refusedWindow).toBe(0);
  expect(figuresOf(rotation({ attempts: rounds({ 1980: "refused" }) })).refusedWindow).toBe(Number.POSITIVE_INFINITY);
});

test("logins and calls are the function's own, refused logins included", () => {
  const logins = [login("accepted", "function"), login("accepted", "application"), login("refused"), login("refused")];
  const figures = figuresOf(rotation({ logins, attempts: rounds({ 1160: "refused" }) }));
  expect(figures).toMatchObject({
    apiCalls: 8,
    functionLogins: 2,
    functionRefused: 1,
    applicationLogins: 55,
    applicationRefused: 1,
  });
});

describe("figures are believed", () => {
  const calls = ["GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage"];
  const agreed = {
    attempts: rounds({ 1160: "refused" }).slice(12, 14),
    logins: [login("refused"), login("accepted", "application"), login("accepted", "function")],
    functionCalls: calls,
    loggedCalls: [...calls, "GetSecretValue", "GetSecretValue", "DescribeSecret"],
  };

  test("where those who made logins and calls saw as many as the servers logged", () => {
    expect(disagreements(agreed)).toEqual([]);
  });

  test("nowhere else", () => {
    expect(disagreements({ ...agreed, logins: [], loggedCalls: [] })).toEqual([
      "The application's accepted logins: 1 were seen, and 0 are in the server's log",
      "GetSecretValue: 3 were seen, and 0 are in the server's log",
      "PutSecretValue: 1 were seen, and 0 are in the server's log",
      "UpdateSecretVersionStage: 1 were seen, and 0 are in the server's log",
    ]);
  });
});
