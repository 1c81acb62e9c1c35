/** A replica changes with its primary only: the service refuses every change of its labels, and the database must not be changed first. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { quarterturnAt, steady } from "./command-line.ts";
import { type Database, startDatabase } from "./database.ts";
import { type ImitatedAws, startImitatedAws } from "./imitated-aws.ts";

let database: Database;
let aws: ImitatedAws;
let secret: string;

beforeAll(async () => {
  database = await startDatabase();
  secret = await database.createSecret({ masterarn: "boss" });
  // It leaves no AWSPENDING, as a replica has none.
  await database.rotate(secret);
  const VersionId = await database.version(secret, "AWSCURRENT");
  const off = { VersionStage: "AWSPENDING", RemoveFromVersionId: VersionId };
  await database.service.sm.updateSecretVersionStage({ SecretId: secret, ...off });
  aws = await startImitatedAws(database.service.local.url, "none", async (operation) => {
    if (operation === "DescribeSecret")
      return { ...(await described()), CreatedDate: 1, LastChangedDate: 1, PrimaryRegion: "eu-west-1" };
    return undefined;
  });
  const refusal = {
    __type: "InvalidParameterException",
    message: "Operation not permitted on a replica secret. Call must be made in primary secret's region.",
  };
  const changes = /:(RotateSecret|CancelRotateSecret|UpdateSecretVersionStage)$/;
  aws.play = ({ action }) => (changes.test(action) ? { status: 400, body: JSON.stringify(refusal) } : undefined);
});
afterAll(async () => {
  await aws[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

async function described() {
  const { Name, ARN, VersionIdsToStages } = await database.service.sm.describeSecret({ SecretId: secret });
  return { Name, ARN, VersionIdsToStages };
}

const previous = () => database.version(secret, "AWSPREVIOUS");

test.each<[command: string, line: () => Promise<string>]>([
  ["enable", async () => `enable ${secret} --function rotates --yes`],
  ["rotate", async () => `rotate ${secret} --wait`],
  ["cancel", async () => `cancel ${secret} --clear-pending --yes`],
  ["rollback", async () => `rollback ${secret} --yes`],
  ["rollback --restore-password", async () => `rollback ${secret} --restore-password --yes`],
  ["recover", async () => `recover ${secret} --yes`],
  ["discard-old", async () => `discard-old ${secret} --yes`],
  ["stage", async () => `stage ${secret} blue ${await previous()} --yes`],
])("%s says where it is changed, and changes nothing", async (_, line) => {
  const before = (await described()).VersionIdsToStages;
  const ran = await quarterturnAt(aws)(await line());
  expect(steady(ran)).toBe(
    `---\nquarterturn: "SECRET" is a replica, and changes with its primary in eu-west-1 only. Run the same command with --region eu-west-1, by its name or as arn:aws:secretsmanager:eu-west-1:000000000000:secret:SECRET-SUFFIX; where that Region is lost, first make this one a secret of its own: aws secretsmanager stop-replication-to-replica --secret-id SECRET --endpoint-url http://HOST\n`,
  );
  expect(ran.code).toBe(3);
  expect(await database.accepts(secret, "AWSCURRENT")).toBe(true);
  expect((await described()).VersionIdsToStages).toEqual(before);
});

test("status says that it is one, and names no command that the service would refuse", async () => {
  const { code, stdout } = await quarterturnAt(aws)(`status ${secret}`);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^ {2}then {6}a replica: it is rotated in eu-west-1, where the same secret is arn:aws:.*$/m);
});

test("a primary is changed, replicas or not", async () => {
  const { sm, local } = database.service;
  const replicated = await database.createSecret();
  await sm.replicateSecretToRegions({ SecretId: replicated, AddReplicaRegions: [{ Region: "eu-west-1" }] });
  expect(await sm.describeSecret({ SecretId: replicated })).toMatchObject({ PrimaryRegion: "us-east-1" });
  const line = `stage ${replicated} blue ${await database.version(replicated, "AWSCURRENT")} --yes`;
  expect(await quarterturnAt(local)(line)).toMatchObject({ code: 0 });
  expect((await quarterturnAt(local)(`status ${replicated}`)).stdout).not.toContain("replica");
});
