import { connect } from "node:net";
import fc from "fast-check";
import { expect, it } from "vitest";
import { start } from "../test/endpoint.ts";
import { expectShape, post } from "../test/raw-request.ts";
import { inputSchemas } from "./input.ts";

const operations = fc.constantFrom(...Object.keys(inputSchemas));

/** Members that operations know, with values of every kind, near their limits or far from them. */
const members = fc.constantFrom(
  ...new Set(Object.values(inputSchemas).flatMap((schema) => Object.keys(schema.entries))),
);
const tokens = fc.constantFrom("1".repeat(36), "2".repeat(36), "3".repeat(36));
const values = fc.oneof(
  fc.constantFrom("a", "b", "f"),
  tokens,
  fc.string(),
  fc.boolean(),
  fc.integer(),
  fc.array(fc.oneof(tokens, fc.string()), { maxLength: 3 }),
  fc.json().map((json): unknown => JSON.parse(json)),
  fc.constantFrom("rate(4 hours)", "cron(0 8 * * ? *)").map((ScheduleExpression) => ({ ScheduleExpression })),
);
const labels = fc.constantFrom("AWSCURRENT", "AWSPENDING", "AWSPREVIOUS", "mine");
/** What a client might mean: two secrets, few versions, so that calls meet each other's effects. */
const usual = fc.record(
  {
    SecretId: fc.constantFrom("a", "b"),
    Name: fc.constantFrom("a", "b"),
    ClientRequestToken: tokens,
    SecretString: fc.constantFrom("1", "2"),
    VersionId: tokens,
    VersionStage: labels,
    VersionStages: fc.uniqueArray(labels, { minLength: 1 }),
    MoveToVersionId: tokens,
    RemoveFromVersionId: tokens,
    RotationLambdaARN: fc.constant("f"),
    RotateImmediately: fc.boolean(),
    ForceDeleteWithoutRecovery: fc.boolean(),
    Tags: fc.constant([{ Key: "k", Value: "v" }]),
    TagKeys: fc.constant(["k"]),
  },
  { requiredKeys: ["SecretId", "Name", "ClientRequestToken", "Tags", "TagKeys"] },
);
const inputs = fc.oneof(
  { weight: 2, arbitrary: usual },
  {
    weight: 1,
    arbitrary: fc
      .tuple(usual, fc.dictionary(members, values, { maxKeys: 3 }))
      .map(([meant, strange]) => ({ ...meant, ...strange })),
  },
);
const bodies = fc.oneof(
  { weight: 6, arbitrary: inputs.map((input) => Buffer.from(JSON.stringify(input))) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)) },
  { weight: 1, arbitrary: fc.json().map((json) => Buffer.from(json)) },
);

/** What Node's client agrees to send. */
const headers = fc.dictionary(
  fc.constantFrom("host", "origin", "content-type", "x-amz-target", "authorization", "expect", "x-amz-security-token"),
  fc.string({ unit: fc.constantFrom(..."abz019-_.:/;=, ") }),
  { maxKeys: 3 },
);

it("answers every body for every operation with a result or a code, never an internal error, and goes on", async () => {
  const { local, sm } = await start({
    functions: { f: async () => undefined },
    rotationRetry: { attempts: 1, delayMs: 1 },
  });
  const port = Number(new URL(local.url).port);
  let succeeded = 0;
  await fc.assert(
    fc.asyncProperty(operations, bodies, async (operation, body) => {
      const target = { "x-amz-target": `secretsmanager.${operation}`, "content-type": "application/x-amz-json-1.1" };
      const answer = await post(port, target, body);
      if (answer.status === 200) succeeded += 1;
      expectShape(answer);
    }),
    { numRuns: 1000 },
  );
  // Not everything was refused at the door.
  expect(succeeded).toBeGreaterThan(50);
  await local.settled();
  await sm.createSecret({ Name: "afterwards", SecretString: "s" });
  expect(await sm.getSecretValue({ SecretId: "afterwards" })).toMatchObject({ SecretString: "s" });
});

it("answers every header with a result or a code", async () => {
  const { local, sm } = await start();
  const port = Number(new URL(local.url).port);
  await fc.assert(
    fc.asyncProperty(headers, bodies, async (sent, body) => {
      expectShape(await post(port, sent, body));
    }),
    { numRuns: 300 },
  );
  expect(await sm.listSecrets({})).toMatchObject({ SecretList: [] });
});

it("survives every sequence of bytes on the socket", async () => {
  const { local, sm } = await start();
  const port = Number(new URL(local.url).port);
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc
      .tuple(fc.constantFrom("GET", "POST", "CONNECT", "HEAD"), fc.string({ maxLength: 40 }), fc.string())
      .map(([method, path, rest]) => Buffer.from(`${method} /${path} HTTP/1.1\r\nhost: localhost\r\n${rest}\r\n\r\n`)),
  );
  await fc.assert(
    fc.asyncProperty(bytes, async (sent) => {
      await new Promise<void>((resolve) => {
        const socket = connect({ host: "127.0.0.1", port }, () => socket.end(sent));
        socket.resume();
        // A reset is an answer too; that the endpoint still works is looked at below.
        socket.on("error", () => resolve());
        socket.on("close", () => resolve());
      });
    }),
    { numRuns: 300 },
  );
  expect(await sm.listSecrets({})).toMatchObject({ SecretList: [] });
});
