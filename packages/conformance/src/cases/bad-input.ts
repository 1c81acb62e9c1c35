import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { steps } from "@quarterturn/core";
import type { ConformanceCase } from "../conformance-case.ts";
import type { Harness } from "../harness.ts";
import { judged, lacks } from "../judged.ts";
import { mustFail } from "../outcomes.ts";
import type { SecretObject } from "../target.ts";

interface Malformed {
  readonly is: string;
  /** The key that is wrong: a secret without it cannot be wrong there. */
  readonly key?: string;
  text(secret: SecretObject): string;
}

const withKey = (is: string, key: string, value: unknown): Malformed => ({
  is,
  key,
  text: (secret) => JSON.stringify({ ...secret, [key]: value }),
});

const endsEarly: Malformed = {
  is: "JSON that ends early",
  text: (secret) => JSON.stringify(secret).slice(0, -1),
};

const malformed: readonly Malformed[] = [
  { is: "not JSON", text: () => "q7Zt9Lw2" },
  endsEarly,
  { is: "an array", text: (secret) => JSON.stringify([secret]) },
  { is: "a JSON text", text: (secret) => JSON.stringify(secret.password) },
  { is: "null", text: () => "null" },
  withKey("without a host", "host", undefined),
  withKey("without a username", "username", undefined),
  withKey("without a password", "password", undefined),
  withKey("one with an empty username", "username", ""),
  withKey("one with an empty password", "password", ""),
  withKey("one with a number as password", "password", 12345678),
  withKey('one with port "abc"', "port", "abc"),
  withKey("one with port 70000", "port", 70_000),
  withKey("one of another engine", "engine", "no-such-engine"),
];

/** Where the secret is plain text, any other text may be a key. */
const malformedFor = ({ options, secretKeys }: Harness, report: (figure: string) => void) =>
  judged(
    malformed,
    ({ is }) => is,
    (row) => (options.text === "plain" && row !== endsEarly ? "any text may be a key" : lacks(secretKeys, row.key)),
    report,
  );

const codes = ["bad-secret", "wrong-target"] as const;

const current: ConformanceCase = {
  name: "a secret that cannot be used is refused in createSecret, in words, and nothing is touched",
  promise: 5,
  async run(harness, report) {
    const binary = { is: "binary", text: (secret: SecretObject) => Buffer.from(JSON.stringify(secret)) };
    await harness.each(
      [...malformedFor(harness, report), binary],
      ({ is }) => `the secret is ${is}`,
      async (scenario) => {
        const rotation = await scenario.startRotation();
        await scenario.refuse("createSecret", rotation, codes);
        assert.equal(scenario.lane.database.connections, 0, "Nothing may be sent to the database");
      },
      ({ text }) => ({ text }),
    );
  },
};

const pending: ConformanceCase = {
  name: "a pending version that cannot be used is refused in setSecret and testSecret, in words, and nothing is touched",
  promise: 5,
  async run(harness, report) {
    await harness.each(
      malformedFor(harness, report),
      ({ is }) => `the pending version is ${is}`,
      async (scenario, { text }) => {
        const rotation = await scenario.startRotationTo(text);
        for (const step of ["setSecret", "testSecret"] as const) await scenario.refuse(step, rotation, codes);
        assert.equal(scenario.lane.database.connections, 0, "Nothing may be sent to the database");
      },
    );
  },
};

const event: ConformanceCase = {
  name: "an event that is no rotation event, or names no version, is refused in words and touches nothing",
  promise: 5,
  run: (harness) =>
    harness.scenario(async (scenario) => {
      const whole = { Step: "createSecret", SecretId: scenario.secretId, ClientRequestToken: randomUUID() };
      const events = [
        null,
        "createSecret",
        {},
        { ...whole, Step: undefined },
        { ...whole, Step: "dropSecret" },
        { ...whole, SecretId: undefined },
        { ...whole, ClientRequestToken: undefined },
      ];
      for (const each of events) {
        const what = `The event ${JSON.stringify(each)}`;
        await scenario.unchanged(what, async () => mustFail(await scenario.send(each), what, ["bad-event"]));
      }
      const unknown = { token: randomUUID(), rotationToken: randomUUID() };
      for (const step of steps) {
        await scenario.refuse(step, unknown, ["not-staged", "not-enabled"], { what: "a token that is no version" });
      }
    }),
};

export const badInputCases = [current, pending, event] as const;
