import assert from "node:assert/strict";
import type { ConformanceCase } from "../conformance-case.ts";
import { judged, lacks } from "../judged.ts";
import type { SecretObject } from "../target.ts";

/** The account's own keys, unspaced, among others whose writing a JSON parser would lose. */
const surrounded = (secret: SecretObject) =>
  `{\n  "zeta": 12345678901234567890,\t"nested":{"b":1.0,"a":[1e3,null]}, "caf\\u00e9\\/" : "\\ud83d\\ude00", ${JSON.stringify(
    secret,
  ).slice(1, -1)}  ,"alpha":0.10,"empty":{} }\n`;

const variants = [
  { is: "as it is", key: "password", text: surrounded },
  {
    is: "with the port as text",
    key: "port",
    text: (secret: SecretObject) => surrounded({ ...secret, port: String(secret.port) }),
  },
] as const;

const kept: ConformanceCase = {
  name: "everything in the secret but the credentials is kept byte for byte: unknown keys, their order, numbers of any size",
  promise: 4,
  only: { where: "where the secret is JSON", holds: ({ text }) => text !== "plain" },
  async run(harness, report) {
    await harness.each(
      judged(
        variants,
        ({ is }) => `the secret ${is}`,
        ({ key }) => lacks(harness.secretKeys, key),
        report,
      ),
      ({ is }) => `the secret ${is}`,
      async (scenario) => {
        const original = await scenario.operator.text({ label: "AWSCURRENT" });
        const first = await scenario.value({ label: "AWSCURRENT" });
        for (const turn of [1, 2]) {
          await scenario.succeed(await scenario.startRotation());
          const value = await scenario.value({ label: "AWSCURRENT" });
          let text = (await scenario.operator.text({ label: "AWSCURRENT" })) ?? "";
          for (const key of Object.keys(scenario.account.secret)) {
            const member = (of: SecretObject) => `${JSON.stringify(key)}:${JSON.stringify(of[key])}`;
            if (["username", "password"].includes(key)) text = text.replace(member(value), () => member(first));
          }
          assert.equal(text, original, `Rotation ${turn} changed more than username and password`);
        }
      },
      ({ text }) => ({ text }),
    );
  },
};

const hostileNames: ConformanceCase = {
  name: "hostile user names are data: the user is rotated, and another is not touched",
  promise: 4,
  async run(harness) {
    await harness.each(
      harness.target.hostile.names,
      (name) => JSON.stringify(name),
      async (scenario) => {
        const other = await scenario.bystander();
        for (const turn of [1, 2]) {
          const rotation = await scenario.startRotation();
          await scenario.succeed(rotation);
          await scenario.mustHaveFinished(rotation, `after rotation ${turn}`);
        }
        assert.equal(await scenario.target.login(other), "accepted", "Another user must log in as before");
      },
      (name) => ({ name }),
    );
  },
};

const hostilePasswords: ConformanceCase = {
  name: "hostile passwords are data: from one, to one and away from one, the rotation succeeds",
  promise: 4,
  only: { where: "where passwords are chosen", holds: ({ credentials }) => credentials !== "issued" },
  async run(harness) {
    const { passwords } = harness.target.hostile;
    await harness.each(
      passwords.map((from, index) => ({ from, to: passwords[(index + 1) % passwords.length] })),
      ({ from, to }) => `${JSON.stringify(from)} to ${JSON.stringify(to)}`,
      async (scenario, { to }) => {
        const rotations = [
          () => scenario.startRotationTo((next) => JSON.stringify({ ...next, password: to })),
          () => scenario.startRotation(),
          () => scenario.startRotation(),
        ];
        for (const start of rotations) {
          const rotation = await start();
          await scenario.succeed(rotation);
          await scenario.mustHaveFinished(rotation, "after the rotation");
        }
      },
      ({ from }) => ({ password: from }),
    );
  },
};

export const valueCases = [kept, hostileNames, hostilePasswords] as const;
