import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import {
  CancelRotateSecretCommand,
  CreateSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  ReplicateSecretToRegionsCommand,
  RotateSecretCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from "@aws-sdk/client-secrets-manager";
import { type LocalEndpoint, type RotationEvent, startLocal } from "@quarterturn/local";
import * as v from "valibot";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import type { RotationError } from "./errors.ts";
import { steps } from "./event.ts";
import { type RotationHandler, rotationHandler } from "./lambda.ts";
import type { Rotator } from "./rotator.ts";
import { jsonFormat, textFormat } from "./secret-value.ts";

/** The smallest rotator: a counter. What it was asked to do is written down. */
interface Counter {
  readonly count: number;
}
let done: string[] = [];
const counter: Rotator<Counter> = {
  schema: v.looseObject({ count: v.number("count must be a number") }),
  format: jsonFormat,
  create: async ({ count }) => ({ count: count + 1 }),
  set: async ({ current, pending }) => {
    done.push(`set ${current.count} to ${pending.count}`);
    return "refused";
  },
  test: async ({ count }) => void done.push(`test ${count}`),
};

let local: LocalEndpoint;
let client: SecretsManagerClient;
let events: RotationEvent[] = [];
let secrets = 0;
let written = "";

beforeAll(async () => {
  // The function only writes down what it was sent and fails, so that a test can run the steps itself.
  const functions = {
    byHand: async (event: RotationEvent) => {
      events.push(event);
      throw new Error("run by hand");
    },
  };
  local = await startLocal({ functions, rotationRetry: { attempts: 1, delayMs: 0 } });
  client = new SecretsManagerClient({ endpoint: local.url });
});
afterAll(async () => {
  client.destroy();
  await local.close();
});
beforeEach(() => {
  done = [];
  events = [];
  written = "";
  vi.spyOn(process.stdout, "write").mockImplementation((chunk) => {
    written += chunk;
    return true;
  });
});

const environment = (more: Record<string, string> = {}) => ({ SECRETS_MANAGER_ENDPOINT: local.url, ...more });
const handlerOf = <S, C>(rotator: Rotator<S, C>, env = environment()) => rotationHandler(() => rotator, env);
const lambdaContext = (milliseconds = 30_000) => {
  const end = Date.now() + milliseconds;
  return { awsRequestId: "request", getRemainingTimeInMillis: () => end - Date.now() };
};

/** A secret whose rotation the service has just started, and the ways to run its steps and look at it. */
async function startedRotation(value = '{"count":1,"note":"kept"}', handler: RotationHandler = handlerOf(counter)) {
  const { ARN: id = "" } = await client.send(
    new CreateSecretCommand({ Name: `secret-${++secrets}`, SecretString: value }),
  );
  await client.send(new RotateSecretCommand({ SecretId: id, RotationLambdaARN: local.functionArn("byHand") }));
  await local.settled(id);
  const [event] = events.filter((each) => each.SecretId === id);
  if (!event) throw new Error("the endpoint did not invoke the function");
  const run = (step: string, by = handler) => by({ ...event, Step: step }, lambdaContext());
  const read = async (which: { VersionId: string } | { VersionStage: string }) =>
    (await client.send(new GetSecretValueCommand({ SecretId: id, ...which }))).SecretString;
  const labels = async () => (await client.send(new DescribeSecretCommand({ SecretId: id }))).VersionIdsToStages ?? {};
  return { id, token: event.ClientRequestToken, event, run, read, labels };
}

const calls = (from: number) =>
  local.events
    .slice(from)
    .flatMap((event) =>
      event.kind === "api-call" ? [event.name + (event.errorCode ? `: ${event.errorCode}` : "")] : [],
    );

describe("a step that asks again whether its version is the pending one", () => {
  const asking = (milliseconds: number): Rotator<Counter> => ({
    ...counter,
    set: async (_, context) => {
      await context.requirePending(milliseconds);
      done.push("went on");
      return "valid";
    },
  });

  test("goes on where it is, and asks the service nothing where it began just now", async () => {
    const { run } = await startedRotation();
    await run("createSecret");
    const from = local.events.length;
    await run("setSecret", handlerOf(asking(60_000)));
    expect(calls(from)).toEqual(["GetSecretValue", "GetSecretValue"]);
    await run("setSecret", handlerOf(asking(0)));
    expect(calls(from).slice(2)).toEqual(["GetSecretValue", "GetSecretValue", "DescribeSecret"]);
    expect(done).toEqual(["went on", "went on"]);
  });

  test.each([
    [1_900, []],
    [2_000, ["DescribeSecret"]],
  ])("asks, if nothing else is said, from two seconds on: after %i ms", async (held, asked) => {
    const { run } = await startedRotation();
    await run("createSecret");
    const began = Date.now();
    using now = vi.spyOn(Date, "now").mockReturnValue(began);
    let from = 0;
    const heldUp: Rotator<Counter> = {
      ...counter,
      set: async (_, context) => {
        from = local.events.length;
        now.mockReturnValue(began + held);
        await context.requirePending();
        return "valid";
      },
    };
    await run("setSecret", handlerOf(heldUp));
    expect(calls(from)).toEqual(asked);
  });

  for (const [what, change, code] of [
    ["was abandoned", { VersionStage: "AWSPENDING" }, "not-staged"],
    ["has become AWSCURRENT by another try", { VersionStage: "AWSCURRENT" }, "superseded"],
  ] as const) {
    test(`stops where it ${what} meanwhile`, async () => {
      const { id, token, run, labels } = await startedRotation();
      await run("createSecret");
      const current = Object.entries(await labels()).find(([, stages]) => stages.includes("AWSCURRENT"))?.[0];
      const move =
        change.VersionStage === "AWSPENDING"
          ? { RemoveFromVersionId: token }
          : { RemoveFromVersionId: current, MoveToVersionId: token };
      const held: Rotator<Counter> = {
        ...counter,
        set: async (values, context) => {
          await client.send(new UpdateSecretVersionStageCommand({ SecretId: id, ...change, ...move }));
          return asking(0).set(values, context);
        },
      };
      await expect(run("setSecret", handlerOf(held))).rejects.toMatchObject({ code });
      expect(done).toEqual([]);
    });
  }
});

describe("the four steps", () => {
  test("rotate with eight API calls, keep every other key, and log what they did", async () => {
    const { id, token, run, read, labels } = await startedRotation();
    const from = local.events.length;
    for (const step of steps) await run(step);
    expect(calls(from)).toEqual([
      "DescribeSecret",
      "GetSecretValue",
      "PutSecretValue",
      "GetSecretValue",
      "GetSecretValue",
      "GetSecretValue",
      "DescribeSecret",
      "UpdateSecretVersionStage",
    ]);
    expect(await read({ VersionStage: "AWSCURRENT" })).toBe('{"count":2,"note":"kept"}');
    expect((await labels())[token]).toContain("AWSCURRENT");
    expect(done).toEqual(["set 1 to 2", "test 2"]);
    const records = written
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(records.map(({ level, message, step, apiCalls }) => ({ level, message, step, apiCalls }))).toEqual([
      {
        level: "INFO",
        message: "Step done",
        step: "createSecret",
        apiCalls: { DescribeSecret: 1, GetSecretValue: 1, PutSecretValue: 1 },
      },
      { level: "INFO", message: "Step done", step: "setSecret", apiCalls: { GetSecretValue: 2 } },
      { level: "INFO", message: "Step done", step: "testSecret", apiCalls: { GetSecretValue: 1 } },
      {
        level: "INFO",
        message: "Step done",
        step: "finishSecret",
        apiCalls: { DescribeSecret: 1, UpdateSecretVersionStage: 1 },
      },
    ]);
    expect(records[0]).toMatchObject({ logger: "quarterturn", secret: id, version: token, requestId: "request" });
  });

  test("each step twice, and all of them again afterwards, change nothing more", async () => {
    const { run, read } = await startedRotation();
    for (const step of steps) {
      await run(step);
      await run(step);
    }
    const from = done.length;
    for (const step of steps) await run(step);
    expect(done.slice(from)).toEqual([]);
    expect(await read({ VersionStage: "AWSCURRENT" })).toBe('{"count":2,"note":"kept"}');
    expect(written).toContain("Step was done by an earlier try");
  });

  test("a retried createSecret keeps the value of the first try, which the database may have already", async () => {
    let next = 100;
    const random = handlerOf({ ...counter, create: async () => ({ count: next++ }) });
    const { token, run, read } = await startedRotation(undefined, random);
    await run("createSecret");
    await run("createSecret");
    expect(next).toBe(102);
    expect(await read({ VersionId: token })).toBe('{"count":100,"note":"kept"}');
  });

  test("PutSecretValue carries the event's RotationToken, without which another account's function may not write", async () => {
    const { event, run, id } = await startedRotation();
    const from = local.events.length;
    await expect(
      handlerOf(counter)({ ...event, Step: "createSecret", RotationToken: "0".repeat(36) }, lambdaContext()),
    ).rejects.toThrow(id);
    expect(calls(from).at(-1)).toMatch(/^PutSecretValue: /);
    await run("createSecret");
  });

  test("a plain-text secret stays plain text", async () => {
    const text: Rotator<string, string> = {
      schema: v.string(),
      format: textFormat,
      create: async (key) => `${key}!`,
      set: async () => "refused",
      test: async () => {},
    };
    const { run, read } = await startedRotation("plain key", handlerOf(text));
    for (const step of steps) await run(step);
    expect(await read({ VersionStage: "AWSCURRENT" })).toBe("plain key!");
  });
});

describe("what is refused, before the rotator is asked", () => {
  const refused = async (promise: Promise<void>, code: RotationError["code"], message: RegExp) => {
    await expect(promise).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    expect(done).toEqual([]);
  };

  test("a token that is not a version", async () => {
    const { event } = await startedRotation();
    const stranger = { ...event, ClientRequestToken: "00000000-0000-0000-0000-000000000000" };
    await refused(
      handlerOf(counter)({ ...stranger, Step: "createSecret" }, lambdaContext()),
      "not-staged",
      /is not staged AWSPENDING/,
    );
    await refused(
      handlerOf(counter)({ ...stranger, Step: "setSecret" }, lambdaContext()),
      "not-staged",
      /does not exist or has no value/,
    );
    await refused(
      handlerOf(counter)({ ...stranger, Step: "finishSecret" }, lambdaContext()),
      "not-staged",
      /is not staged AWSPENDING/,
    );
  });

  test("setSecret and testSecret before createSecret", async () => {
    const { run } = await startedRotation();
    await refused(run("setSecret"), "not-staged", /createSecret must succeed first/);
    await refused(run("testSecret"), "not-staged", /createSecret must succeed first/);
  });

  test("a cancelled rotation, as long as nothing was changed", async () => {
    const { id, run } = await startedRotation();
    await client.send(new CancelRotateSecretCommand({ SecretId: id }));
    await refused(run("createSecret"), "not-enabled", /Rotation is off/);
  });

  test("a replica that is not in sync, as long as nothing was changed", async () => {
    const { id, run } = await startedRotation();
    await client.send(
      new ReplicateSecretToRegionsCommand({ SecretId: id, AddReplicaRegions: [{ Region: "eu-west-1" }] }),
    );
    await local.setReplicaStatus(id, "eu-west-1", "Failed");
    await refused(run("createSecret"), "replica-behind", /not in sync \(eu-west-1: Failed\)/);
    await local.setReplicaStatus(id, "eu-west-1", "InSync");
    await run("createSecret");
  });

  const values: readonly [string, string, RegExp][] = [
    ["is not JSON", "count=1", /AWSCURRENT is not a JSON object/],
    ["is an array", "[1]", /AWSCURRENT is not a JSON object/],
    ["lacks a key", "{}", /AWSCURRENT cannot be used/],
  ];
  for (const [name, value, message] of values) {
    test(`a secret that ${name}`, async () => {
      const { run } = await startedRotation(value);
      await refused(run("createSecret"), "bad-secret", message);
    });
  }

  test("a binary secret", async () => {
    const { id, run } = await startedRotation();
    await client.send(
      new PutSecretValueCommand({ SecretId: id, SecretBinary: Buffer.from("x"), ClientRequestToken: "1".repeat(32) }),
    );
    await client.send(
      new UpdateSecretVersionStageCommand({
        SecretId: id,
        VersionStage: "AWSPENDING",
        MoveToVersionId: (await startedVersion(id)) ?? "",
      }),
    );
    await refused(run("createSecret"), "bad-secret", /binary/);
  });
  const startedVersion = async (id: string) => events.find((event) => event.SecretId === id)?.ClientRequestToken;

  test("a version that an operator moved on from, in mid-rotation", async () => {
    const { id, run } = await startedRotation();
    await run("createSecret");
    await client.send(new PutSecretValueCommand({ SecretId: id, SecretString: '{"count":50}' }));
    await refused(run("setSecret"), "not-staged", /is not staged AWSPENDING/);
    await refused(run("finishSecret"), "not-staged", /is not staged AWSPENDING/);
  });
});

describe("once the database may have been changed", () => {
  test("a cancelled rotation is brought to its end", async () => {
    const { id, token, run, labels } = await startedRotation();
    await run("createSecret");
    await run("setSecret");
    await client.send(new CancelRotateSecretCommand({ SecretId: id }));
    await run("testSecret");
    await run("finishSecret");
    expect((await labels())[token]).toContain("AWSCURRENT");
  });

  test("a lagging replica is waited for, then said in the log, and the label moves", async () => {
    const { id, token, labels, event } = await startedRotation();
    const hurried = (step: string) => handlerOf(counter)({ ...event, Step: step }, lambdaContext(3_000));
    for (const step of ["createSecret", "setSecret", "testSecret"]) await hurried(step);
    await client.send(
      new ReplicateSecretToRegionsCommand({ SecretId: id, AddReplicaRegions: [{ Region: "eu-west-1" }] }),
    );
    await local.setReplicaStatus(id, "eu-west-1", "InProgress");
    await hurried("finishSecret");
    expect((await labels())[token]).toContain("AWSCURRENT");
    expect(written).toMatch(/A replica is not in sync.*eu-west-1 InProgress/);
  });

  test("a replica that catches up while it is waited for is not spoken of", async () => {
    const { id, token, run, labels } = await startedRotation();
    for (const step of ["createSecret", "setSecret", "testSecret"]) await run(step);
    await client.send(
      new ReplicateSecretToRegionsCommand({ SecretId: id, AddReplicaRegions: [{ Region: "eu-west-1" }] }),
    );
    await local.setReplicaStatus(id, "eu-west-1", "InProgress");
    const finishing = run("finishSecret");
    await expect.poll(() => calls(0).at(-1)).toBe("DescribeSecret");
    await local.setReplicaStatus(id, "eu-west-1", "InSync");
    await finishing;
    expect((await labels())[token]).toContain("AWSCURRENT");
    expect(written).not.toContain("not in sync");
  });

  test("a replica that falls behind does not stop the retry either, since AWSCURRENT may be refused already", async () => {
    const { id, token, run, labels } = await startedRotation();
    for (const step of ["createSecret", "setSecret"]) await run(step);
    await client.send(
      new ReplicateSecretToRegionsCommand({ SecretId: id, AddReplicaRegions: [{ Region: "eu-west-1" }] }),
    );
    await local.setReplicaStatus(id, "eu-west-1", "Failed");
    for (const step of ["createSecret", "setSecret", "testSecret"]) await run(step);
    await local.setReplicaStatus(id, "eu-west-1", "InSync");
    await run("finishSecret");
    expect((await labels())[token]).toContain("AWSCURRENT");
  });

  test("a label that somebody else moved between Describe and Update is not moved back", async () => {
    const { id, run, labels, event } = await startedRotation();
    for (const step of ["createSecret", "setSecret", "testSecret"]) await run(step);
    // The operator's move happens when finishSecret has described the secret and not yet moved the label.
    const racing = await proxy(local.url, {
      before: async (operation) => {
        if (operation !== "UpdateSecretVersionStage") return;
        await client.send(
          new PutSecretValueCommand({ SecretId: id, SecretString: '{"count":50}', ClientRequestToken: "2".repeat(32) }),
        );
      },
    });
    await expect(
      handlerOf(counter, environment({ SECRETS_MANAGER_ENDPOINT: racing.url }))(
        { ...event, Step: "finishSecret" },
        lambdaContext(),
      ),
    ).rejects.toMatchObject({ code: "not-staged" });
    racing.server.close();
    expect((await labels())["2".repeat(32)]).toContain("AWSCURRENT");
  });

  test("a label that the service does not move is an error, so that the service comes again", async () => {
    const { token, run, labels, event } = await startedRotation();
    for (const step of ["createSecret", "setSecret", "testSecret"]) await run(step);
    const unmoving = await proxy(local.url, {
      answer: (operation) =>
        operation === "UpdateSecretVersionStage"
          ? { status: 400, name: "InvalidParameterException", message: "as the test wants it" }
          : undefined,
    });
    onTestFinished(() => void unmoving.server.close());
    const finish = handlerOf(counter, environment({ SECRETS_MANAGER_ENDPOINT: unmoving.url }));
    await expect(finish({ ...event, Step: "finishSecret" }, lambdaContext())).rejects.toMatchObject({
      code: "service",
      message: expect.stringContaining(`did not move AWSCURRENT to version ${token}`),
    });
    await run("finishSecret");
    expect((await labels())[token]).toContain("AWSCURRENT");
  });

  test("AWSCURRENT that was moved by hand between Describe and Update is not taken from where it is", async () => {
    const { id, run, labels, event } = await startedRotation();
    for (const step of ["createSecret", "setSecret", "testSecret"]) await run(step);
    const [before] = Object.entries(await labels()).find(([, stages]) => stages.includes("AWSCURRENT")) ?? [];
    const byHand = "3".repeat(32);
    const value = { ClientRequestToken: byHand, SecretString: '{"count":50}', VersionStages: ["by-hand"] };
    await client.send(new PutSecretValueCommand({ SecretId: id, ...value }));
    let hasMoved = false;
    const racing = await proxy(local.url, {
      before: async (operation) => {
        if (operation !== "UpdateSecretVersionStage" || hasMoved) return;
        hasMoved = true;
        const move = { VersionStage: "AWSCURRENT", MoveToVersionId: byHand, RemoveFromVersionId: before };
        await client.send(new UpdateSecretVersionStageCommand({ SecretId: id, ...move }));
      },
    });
    onTestFinished(() => void racing.server.close());
    const finish = handlerOf(counter, environment({ SECRETS_MANAGER_ENDPOINT: racing.url }));
    await expect(finish({ ...event, Step: "finishSecret" }, lambdaContext())).rejects.toMatchObject({
      code: "superseded",
    });
    expect((await labels())[byHand]).toContain("AWSCURRENT");
  });

  test("a move whose answer was lost is seen as done", async () => {
    const { token, run, labels, event } = await startedRotation();
    for (const step of ["createSecret", "setSecret", "testSecret"]) await run(step);
    const losing = await proxy(local.url, { loses: "UpdateSecretVersionStage" });
    await handlerOf(counter, environment({ SECRETS_MANAGER_ENDPOINT: losing.url }))(
      { ...event, Step: "finishSecret" },
      lambdaContext(),
    );
    losing.server.close();
    expect((await labels())[token]).toContain("AWSCURRENT");
  });
});

test("a setSecret that is held up between its reads, while another rotation takes its place, does not undo that one", async () => {
  const { id, token, event, run } = await startedRotation();
  await run("createSecret");
  let reads = 0;
  const overtaking = await proxy(local.url, {
    before: async (operation) => {
      if (operation !== "GetSecretValue" || ++reads !== 2) return;
      const abandoned = { VersionStage: "AWSPENDING", RemoveFromVersionId: token };
      await client.send(new UpdateSecretVersionStageCommand({ SecretId: id, ...abandoned }));
      await client.send(new PutSecretValueCommand({ SecretId: id, SecretString: '{"count":50}' }));
    },
  });
  onTestFinished(() => void overtaking.server.close());
  const heldUp = handlerOf(counter, environment({ SECRETS_MANAGER_ENDPOINT: overtaking.url }));
  await expect(heldUp({ ...event, Step: "setSecret" }, lambdaContext())).rejects.toMatchObject({ code: "not-staged" });
  expect(done).toEqual([]);
});

describe("early promotion", () => {
  const early = { EARLY_PROMOTION: "true" };

  test("setSecret sets, tests and moves the label at once; what follows alters nothing", async () => {
    const { token, run, labels } = await startedRotation(undefined, handlerOf(counter, environment(early)));
    await run("createSecret");
    await run("setSecret");
    expect(done).toEqual(["set 1 to 2", "test 2"]);
    expect((await labels())[token]).toContain("AWSCURRENT");
    for (const step of steps) await run(step);
    expect(done).toEqual(["set 1 to 2", "test 2"]);
  });

  test("nothing is promoted that does not log in", async () => {
    const failing = { ...counter, test: () => Promise.reject(new Error("refused")) };
    const { token, run, labels } = await startedRotation(undefined, handlerOf(failing, environment(early)));
    await run("createSecret");
    await expect(run("setSecret")).rejects.toThrow(/refused/);
    expect((await labels())[token]).toEqual(["AWSPENDING"]);
  });

  test("a rotator that keeps AWSCURRENT valid has nothing to gain, and moves in finishSecret", async () => {
    const { token, run, labels } = await startedRotation(
      undefined,
      handlerOf({ ...counter, set: async () => "valid" }, environment(early)),
    );
    await run("createSecret");
    await run("setSecret");
    expect((await labels())[token]).toEqual(["AWSPENDING"]);
  });
});

describe("discard", () => {
  let issued = 1;
  beforeEach(() => {
    issued = 1;
  });
  const issuing: Rotator<Counter> = {
    ...counter,
    create: async () => ({ count: ++issued }),
    discard: async ({ count }, current) => void done.push(`discard ${count} beside ${current.count}`),
  };
  const throughProxy = async (answer: Answering) => {
    const { server, url } = await proxy(local.url, { answer });
    onTestFinished(() => void server.close());
    return handlerOf(issuing, environment({ SECRETS_MANAGER_ENDPOINT: url }));
  };
  const failing = (status: number, name: string) => ({ status, name, message: "as the test wants it" });

  test("takes back what a try made that came second, and nothing else; its failure is logged and undoes nothing", async () => {
    const discard = () => Promise.reject(new Error("cannot"));
    const { run, read, token } = await startedRotation(undefined, handlerOf(issuing));
    await run("createSecret");
    expect(done).toEqual([]);
    await run("createSecret");
    await run("createSecret", handlerOf({ ...issuing, discard }));
    expect(done).toEqual(["discard 3 beside 1"]);
    expect(await read({ VersionId: token })).toBe('{"count":2,"note":"kept"}');
    expect(written).toMatch(/"WARN".*could not be discarded.*cannot/);
  });

  test("takes back what Secrets Manager refuses to store, each time", async () => {
    const denied = await throughProxy((operation) =>
      operation === "PutSecretValue" ? failing(400, "AccessDeniedException") : undefined,
    );
    const { run } = await startedRotation(undefined, denied);
    for (const _try of [1, 2, 3]) await expect(run("createSecret")).rejects.toMatchObject({ code: "privilege" });
    expect(done).toEqual(["discard 2 beside 1", "discard 3 beside 1", "discard 4 beside 1"]);
  });

  test("takes back what the schema refuses", async () => {
    const wrong = handlerOf({ ...issuing, create: async () => ({ count: "two" as unknown as number }) });
    const { run } = await startedRotation(undefined, wrong);
    await expect(run("createSecret")).rejects.toMatchObject({ code: "bad-secret" });
    expect(done).toEqual(["discard two beside 1"]);
  });

  test.each([
    { is: "an error of the service's own", answers: [500, 500, 500] },
    { is: "one that is not tried again", answers: [501] },
    { is: "a refusal after an attempt that may have been carried out", answers: [500, 400] },
  ])("leaves what may have been stored: $is", async ({ answers }) => {
    const statuses = [...answers];
    const failingPut = await throughProxy((operation) => {
      const status = operation === "PutSecretValue" ? statuses.shift() : undefined;
      return status === undefined ? undefined : failing(status, status === 400 ? "Refused" : "InternalServiceError");
    });
    const { run } = await startedRotation(undefined, failingPut);
    await expect(run("createSecret")).rejects.toMatchObject({ code: "service" });
    expect(statuses).toEqual([]);
    expect(done).toEqual([]);
  });

  test("leaves what the pending version holds: a service may give the same key again", async () => {
    const { id, token, run } = await startedRotation(undefined, handlerOf(issuing));
    const pending = { SecretId: id, ClientRequestToken: token, VersionStages: ["AWSPENDING"] };
    await client.send(new PutSecretValueCommand({ ...pending, SecretString: '{"count":2,"note":"another"}' }));
    await run("createSecret");
    expect(issued).toBe(2);
    expect(done).toEqual([]);
    await run("createSecret");
    expect(done).toEqual(["discard 3 beside 1"]);
  });
});

describe("retire", () => {
  const retiring: Rotator<Counter> = {
    ...counter,
    retire: async ({ current, previous }) => void done.push(`retire ${previous.count} for ${current.count}`),
  };

  test("runs after the label has moved, with the new and the old value; its failure is logged and undoes nothing", async () => {
    const failing = handlerOf({
      ...retiring,
      retire: async (values, context) => {
        await retiring.retire?.(values, context);
        throw new Error("cannot");
      },
    });
    const { token, run, labels } = await startedRotation(undefined, failing);
    for (const step of steps) await run(step);
    expect(done.at(-1)).toBe("retire 1 for 2");
    expect((await labels())[token]).toContain("AWSCURRENT");
    expect(written).toMatch(/"WARN".*could not be retired.*cannot/);
  });

  test.each([1, 2])(
    "a finishSecret that is overtaken before its read %i retires nothing: another rotation's previous may be in use",
    async (overtakenBefore) => {
      const { id, run } = await startedRotation(undefined, handlerOf(retiring));
      for (const step of steps) await run(step);
      done = [];
      let reads = 0;
      const overtaking = await proxy(local.url, {
        before: async (operation) => {
          if (operation === "GetSecretValue" && ++reads === overtakenBefore)
            await client.send(new PutSecretValueCommand({ SecretId: id, SecretString: '{"count":50}' }));
        },
      });
      onTestFinished(() => void overtaking.server.close());
      await run("finishSecret", handlerOf(retiring, environment({ SECRETS_MANAGER_ENDPOINT: overtaking.url })));
      expect(reads).toBe(overtakenBefore);
      expect(done).toEqual([]);
    },
  );
});

describe("what leaves the process", () => {
  test("an unexpected error is told without the values that were read, its cause and its stack", async () => {
    const leaking: Rotator<Counter> = {
      ...counter,
      create: async () => {
        throw new TypeError("driver said: kept-secret\nFORGED", { cause: new Error("kept-secret") });
      },
    };
    const { run } = await startedRotation('{"count":1,"key":"kept-secret"}', handlerOf(leaking));
    const error = await run("createSecret").catch((thrown: unknown) => thrown as RotationError);
    expect(error).toMatchObject({
      code: "unexpected",
      message: expect.stringContaining("driver said: [redacted] FORGED"),
    });
    expect(error).toMatchObject({ message: expect.stringMatching(/^createSecret of arn:/) });
    expect(JSON.parse(written)).toMatchObject({
      stack: expect.arrayContaining([expect.stringContaining("lambda.test.ts")]),
    });
    expect(JSON.stringify([error?.stack, error?.cause, written])).not.toContain("kept-secret");
    expect(written.trim().split("\n")).toHaveLength(1);
  });

  test("a service that quotes the new value in its error does not get it into the log", async () => {
    const { event } = await startedRotation('{"count":1,"key":"kept-secret"}');
    const { schema, set, test } = counter;
    const creating: Rotator<Counter, { key: string }> = {
      schema,
      set,
      test,
      format: jsonFormat,
      create: async () => ({ key: "brand-new-secret" }),
    };
    const quoting = await proxy(local.url, {
      answer: (operation, message) =>
        operation === "PutSecretValue" ? { status: 400, name: "InvalidRequestException", message } : undefined,
    });
    const handler = handlerOf(creating, environment({ SECRETS_MANAGER_ENDPOINT: quoting.url }));
    const failed = handler({ ...event, Step: "createSecret" }, lambdaContext());
    await expect(failed).rejects.toMatchObject({ code: "service", message: expect.stringContaining("[redacted]") });
    quoting.server.close();
    expect(written).not.toMatch(/brand-new-secret|kept-secret/);
  });

  test("a bad setting is an error like every other, at the first event and not when the module loads", async () => {
    const { run } = await startedRotation(undefined, handlerOf(counter, environment({ EARLY_PROMOTION: "maybe" })));
    await expect(run("createSecret")).rejects.toMatchObject({ code: "bad-setting" });
  });
});

describe("a Secrets Manager that does not answer as hoped", () => {
  const against = (url: string, milliseconds = 30_000) =>
    handlerOf(counter, environment({ SECRETS_MANAGER_ENDPOINT: url }))(
      { Step: "createSecret", SecretId: "arn:secret", ClientRequestToken: "token" },
      lambdaContext(milliseconds),
    );

  test("a closed port is unreachable, with the host and what a VPC needs", async () => {
    const closed = createServer();
    await listening(closed);
    const url = urlOf(closed);
    await new Promise((resolve) => closed.close(resolve));
    await expect(against(url)).rejects.toMatchObject({
      code: "unreachable",
      message: expect.stringMatching(/DescribeSecret of arn:secret: no answer from 127\.0\.0\.1 .*VPC/),
    });
  });

  test("a silent endpoint is reported before the deadline (promise 5)", async () => {
    const silent = createServer(() => {});
    await listening(silent);
    const started = Date.now();
    await expect(against(urlOf(silent), 1_500)).rejects.toMatchObject({ code: "timeout" });
    expect(Date.now() - started).toBeLessThan(1_500);
    silent.closeAllConnections();
    silent.close();
  });

  test("a refusal by IAM is a missing privilege, with the service's words", async () => {
    // Stands in for IAM, which the local endpoint does not have.
    const denying = createServer((_request, response) => {
      response.writeHead(400, { "content-type": "application/x-amz-json-1.1" });
      response.end(
        JSON.stringify({
          __type: "AccessDeniedException",
          Message: "User: x is not authorized to perform: secretsmanager:DescribeSecret",
        }),
      );
    });
    await listening(denying);
    await expect(against(urlOf(denying))).rejects.toMatchObject({
      code: "privilege",
      message: expect.stringMatching(/not authorized to perform.*role/),
    });
    denying.close();
  });

  test("a secret that does not exist is told in the service's words", async () => {
    await expect(against(local.url)).rejects.toMatchObject({
      code: "service",
      message: expect.stringMatching(
        /DescribeSecret of arn:secret failed: ResourceNotFoundException: Secrets Manager can't find the specified secret/,
      ),
    });
  });
});

const listening = (server: Server) => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const urlOf = (server: Server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

/** What a request is answered with instead of by the endpoint; undefined: by the endpoint. */
type Answering = (operation: string, body: string) => { status: number; name: string; message: string } | undefined;

/** A proxy before the endpoint: calls `before` for each operation, answers some itself, and loses the first answer to one. */
async function proxy(
  target: string,
  { before, loses, answer }: { before?: (operation: string) => Promise<void>; loses?: string; answer?: Answering },
) {
  let hasLost = false;
  const server = createServer(async (request, response) => {
    const body = await buffer(request);
    const operation = String(request.headers["x-amz-target"]).split(".").at(-1) ?? "";
    await before?.(operation);
    const own = answer?.(operation, body.toString());
    if (own) {
      response.writeHead(own.status, { "content-type": "application/x-amz-json-1.1" });
      response.end(JSON.stringify({ __type: own.name, Message: own.message }));
      return;
    }
    const headers = {
      "content-type": String(request.headers["content-type"]),
      "x-amz-target": String(request.headers["x-amz-target"]),
    };
    const forwarded = await fetch(target, { method: "POST", headers, body });
    const text = await forwarded.text();
    if (operation === loses && !hasLost) {
      hasLost = true;
      request.socket.destroy();
      return;
    }
    response.writeHead(forwarded.status, { "content-type": forwarded.headers.get("content-type") ?? "" }).end(text);
  });
  await listening(server);
  return { server, url: urlOf(server) };
}
