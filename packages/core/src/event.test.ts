import { describe, expect, test } from "vitest";
import { parseEvent } from "./event.ts";

const event = {
  Step: "setSecret",
  SecretId: "arn:aws:secretsmanager:eu-west-1:1:secret:s",
  ClientRequestToken: "token",
  RotationToken: "proof",
};

describe("the rotation event", () => {
  test("is read as the service sends it; unknown keys are ignored", async () => {
    expect(await parseEvent({ ...event, New: 1 })).toEqual({
      step: "setSecret",
      secretId: event.SecretId,
      token: "token",
      rotationToken: "proof",
    });
  });

  test("may lack the RotationToken", async () => {
    const { RotationToken: _, ...without } = event;
    expect(await parseEvent(without)).toEqual({ step: "setSecret", secretId: event.SecretId, token: "token" });
  });

  const { Step: _step, ...noStep } = event;
  const { SecretId: _id, ...noSecret } = event;
  const rows: readonly [string, unknown, RegExp][] = [
    ["no step", noStep, /Step is missing/],
    [
      "an unknown step",
      { ...event, Step: "deleteSecret" },
      /Step must be one of createSecret, setSecret, testSecret, finishSecret/,
    ],
    ["a step that is a property of every object", { ...event, Step: "constructor" }, /Step must be one of/],
    ["no secret", noSecret, /SecretId is missing/],
    ["an empty token", { ...event, ClientRequestToken: "" }, /ClientRequestToken is empty/],
    ["a token that is a number", { ...event, ClientRequestToken: 5 }, /ClientRequestToken must be text/],
    ["no object", "event", /it must be an object/],
    ["nothing", undefined, /it must be an object/],
  ];
  for (const [name, input, message] of rows) {
    test(`${name} is refused in words`, async () => {
      await expect(parseEvent(input)).rejects.toMatchObject({
        code: "bad-event",
        message: expect.stringMatching(message),
      });
    });
  }
});
