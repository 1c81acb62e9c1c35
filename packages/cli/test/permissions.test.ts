import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { quarterturnAt } from "./command-line.ts";
import { type Database, startDatabase } from "./database.ts";

let database: Database;
let table: Map<string, string[]>;
beforeAll(async () => {
  database = await startDatabase();
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const rows = readme.matchAll(/^\| `([^`]+)` \| (secretsmanager:[^|]+) \|$/gm);
  table = new Map([...rows].map(([, command = "", actions = ""]) => [command, actions.split(", ")]));
});
afterAll(() => database[Symbol.asyncDispose]());

async function prepared(passwordOf?: "AWSPREVIOUS"): Promise<string> {
  const secret = await database.createSecret();
  await database.rotate(secret);
  if (passwordOf) await database.setPassword(secret, (await database.value(secret, passwordOf)).password);
  return secret;
}

async function stuck(): Promise<string> {
  const secret = await database.createSecret();
  await database.rotate(secret, "stops-at-setSecret");
  return secret;
}

test.each<[command: string, line: () => Promise<string>]>([
  ["status", async () => `status ${await prepared()}`],
  ["status --all", async () => "status --all"],
  ["enable", async () => `enable ${await prepared()} --function stops-at-createSecret --yes`],
  [
    "rotate",
    async () => {
      // A function that calls nothing, so that all calls are the command's.
      const SecretId = await prepared();
      const without = { RotationLambdaARN: "stops-at-createSecret", RotateImmediately: false };
      await database.service.sm.rotateSecret({ SecretId, ...without });
      await database.service.local.settled(SecretId);
      return `rotate ${SecretId}`;
    },
  ],
  ["cancel", async () => `cancel ${await prepared()} --yes`],
  ["cancel --clear-pending", async () => `cancel ${await stuck()} --clear-pending --yes`],
  ["rollback", async () => `rollback ${await prepared("AWSPREVIOUS")} --yes`],
  ["recover", async () => `recover ${await prepared("AWSPREVIOUS")} --yes`],
  [
    "stage",
    async () => {
      const secret = await prepared("AWSPREVIOUS");
      return `stage ${secret} AWSCURRENT ${await database.version(secret, "AWSPREVIOUS")} --yes`;
    },
  ],
])("%s does what the README says that it must be allowed, and nothing else", async (command, prepare) => {
  const line = await prepare();
  const called = new Set<string>();
  const stop = database.service.local.onEvent((event) => {
    if (event.kind === "api-call") called.add(`secretsmanager:${event.name}`);
  });
  const { code } = await quarterturnAt(database.service.local)(line);
  stop();
  expect(code).toBe(0);
  await database.service.local.settled();
  expect([...called].sort()).toEqual(table.get(command));
});

// That of discard-old is looked at where there is a MySQL.
test("the README names no other commands", () => {
  expect(table.size).toBe(10);
});
