/** What was seen before a question is as old as the answer: each command looks again after the yes. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { quarterturnAt, type Ran } from "./command-line.ts";
import { type Database, startDatabase } from "./database.ts";

let database: Database;
beforeAll(async () => {
  database = await startDatabase();
});
afterAll(() => database[Symbol.asyncDispose]());

/** Runs a command line, and says yes when this has happened, after the question was asked. */
function runWhile(line: string, happens: () => Promise<unknown>): Promise<Ran> {
  const key = async () => {
    await happens();
    return "y";
  };
  return quarterturnAt(database.service.local)(line, { key });
}

const labels = async (SecretId: string) => (await database.service.sm.describeSecret({ SecretId })).VersionIdsToStages;

/** A secret that was rotated once, and whose user has the password of this version. */
async function rotated(passwordOf: "AWSPREVIOUS" | "AWSCURRENT"): Promise<string> {
  const secret = await database.createSecret({ masterarn: "boss" });
  await database.rotate(secret);
  await database.setPassword(secret, (await database.value(secret, passwordOf)).password);
  return secret;
}

async function stuck(step: string): Promise<string> {
  const secret = await database.createSecret({ masterarn: "boss" });
  await database.rotate(secret, `stops-at-${step}`);
  return secret;
}

/** Ready for a command that asks: the command line, and the secret that it is about. */
type Prepared = { readonly secret: string; readonly line: string };

const prepare: Readonly<Record<string, () => Promise<Prepared>>> = {
  async "stage AWSCURRENT"() {
    const secret = await rotated("AWSPREVIOUS");
    return { secret, line: `stage ${secret} AWSCURRENT ${await database.version(secret, "AWSPREVIOUS")}` };
  },
  async "stage AWSPREVIOUS"() {
    const secret = await rotated("AWSCURRENT");
    const oldest = await database.version(secret, "AWSPREVIOUS");
    await database.rotate(secret);
    return { secret, line: `stage ${secret} AWSPREVIOUS ${oldest}` };
  },
  async rollback() {
    const secret = await rotated("AWSPREVIOUS");
    return { secret, line: `rollback ${secret}` };
  },
  async recover() {
    const secret = await rotated("AWSPREVIOUS");
    return { secret, line: `recover ${secret}` };
  },
  async "cancel --clear-pending"() {
    const secret = await stuck("setSecret");
    return { secret, line: `cancel ${secret} --clear-pending` };
  },
  async "cancel --clear-pending where only that value works"() {
    const secret = await stuck("testSecret");
    return { secret, line: `cancel ${secret} --clear-pending` };
  },
  async "rollback --restore-password"() {
    const secret = await rotated("AWSCURRENT");
    return { secret, line: `rollback ${secret} --restore-password` };
  },
  async "recover by an admin"() {
    const secret = await rotated("AWSCURRENT");
    await database.setPassword(secret, "somebody-elses");
    return { secret, line: `recover ${secret}` };
  },
};

describe.each(Object.keys(prepare))("%s, while the question stands", (command) => {
  test("a label is moved: nothing is changed", async () => {
    const { secret, line } = await (prepare[command] as () => Promise<Prepared>)();
    const { VersionIdsToStages, ARN = "" } = await database.service.sm.describeSecret({ SecretId: secret });
    const ran = await runWhile(line.replace(secret, ARN), async () => {
      const MoveToVersionId = await database.version(secret, "AWSCURRENT");
      await database.service.sm.updateSecretVersionStage({ SecretId: secret, VersionStage: "blue", MoveToVersionId });
    });
    expect(ran.stderr).toMatch(
      /^quarterturn: .* was (not moved|not turned off|not taken off|set): the secret was changed meanwhile\. /m,
    );
    expect(ran.stderr).toContain(`quarterturn status ${ARN}`);
    expect(ran.code).toBe(3);
    await database.service.sm.updateSecretVersionStage({
      SecretId: secret,
      VersionStage: "blue",
      RemoveFromVersionId: await database.version(secret, "blue"),
    });
    expect(await labels(secret)).toEqual(VersionIdsToStages);
  });

  test("the password is changed: no label moves", async () => {
    const { secret, line } = await (prepare[command] as () => Promise<Prepared>)();
    const before = await labels(secret);
    // What was refused is accepted, and what was accepted is refused.
    const isRestoring = /restore|admin/.test(command);
    const restored = command.startsWith("recover") ? "AWSCURRENT" : "AWSPREVIOUS";
    const password = isRestoring ? (await database.value(secret, restored)).password : "somebody-elses";
    const ran = await runWhile(line, () => database.setPassword(secret, password));
    expect(ran.stderr).toMatch(isRestoring ? /No password was set: .* logs in .* now/ : /was not (moved|taken off)/);
    expect(ran.code).toBe(3);
    expect(await labels(secret)).toEqual(before);
  });
});
