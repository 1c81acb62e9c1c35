import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { clientOf, course, plusFunction, start, token, versionWith } from "../test/endpoint.ts";
import { startLocal } from "./index.ts";

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "quarterturn-local-"));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

it("keeps everything over a restart, in one file that only its owner may read", async () => {
  const directory = folder();
  const file = join(directory, "state.json");
  const first = await start({ file });
  await first.sm.createSecret({
    Name: "a",
    SecretString: "1",
    Description: "d",
    Tags: [{ Key: "k", Value: "v" }],
    AddReplicaRegions: [{ Region: "eu-west-1" }],
  });
  await first.sm.putSecretValue({ SecretId: "a", SecretBinary: Buffer.from([0, 255]) });
  const { $metadata: _before, ...before } = await first.sm.describeSecret({ SecretId: "a" });
  await first.local.close();
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readdirSync(directory)).toEqual(["state.json"]);

  const second = await start({ file });
  const { $metadata: _after, ...after } = await second.sm.describeSecret({ SecretId: "a" });
  expect(after).toEqual(before);
  const { SecretBinary = [] } = await second.sm.getSecretValue({ SecretId: "a" });
  expect([...SecretBinary]).toEqual([0, 255]);
  expect(await second.sm.getSecretValue({ SecretId: "a", VersionStage: "AWSPREVIOUS" })).toMatchObject({
    SecretString: "1",
  });
});

it("narrows the permissions of a file that others could read", async () => {
  const file = join(folder(), "state.json");
  writeFileSync(file, '{"format":1,"secrets":[]}', { mode: 0o644 });
  chmodSync(file, 0o644);
  const { sm } = await start({ file });
  await sm.createSecret({ Name: "a", SecretString: "1" });
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

it("has written a change when the call that made it is answered", async () => {
  const file = join(folder(), "state.json");
  const { sm } = await start({ file });
  await sm.createSecret({ Name: "a", SecretString: "durable" });
  expect(readFileSync(file, "utf8")).toContain("durable");
});

it("continues a rotation that was in progress, with the same version and the same rotation token", async () => {
  const file = join(folder(), "state.json");
  const reached = Promise.withResolvers<string>();
  const first = await start({
    file,
    functions: {
      f: ({ RotationToken }) => {
        reached.resolve(RotationToken);
        return new Promise(() => undefined);
      },
    },
  });
  await first.sm.createSecret({ Name: "a", SecretString: "v" });
  await first.sm.rotateSecret({ SecretId: "a", RotationLambdaARN: "f", ClientRequestToken: token("2") });
  const rotationToken = await reached.promise;
  await first.local.close();

  const tokens = new Set<string>();
  const second = await startLocal({
    file,
    functions: {
      f: (event) => {
        tokens.add(event.RotationToken);
        return plusFunction(() => sm)(event);
      },
    },
  });
  onTestFinished(() => second.close());
  const sm = clientOf(second);
  await second.settled();
  expect(await versionWith(sm, "a", "AWSCURRENT")).toBe(token("2"));
  expect([...tokens]).toEqual([rotationToken]);
});

it("does not begin a rotation again that was given up", async () => {
  const file = join(folder(), "state.json");
  const options = {
    file,
    functions: { f: () => Promise.reject(new Error("down")) },
    rotationRetry: { attempts: 0, delayMs: 0 },
  };
  const first = await start(options);
  await first.sm.createSecret({ Name: "a", SecretString: "v" });
  await first.sm.rotateSecret({ SecretId: "a", RotationLambdaARN: "f" });
  await first.local.settled();
  await first.local.close();
  const second = await start(options);
  await second.local.settled();
  expect(second.local.events).toEqual([]);
  expect(await versionWith(second.sm, "a", "AWSPENDING")).toBeDefined();
});

it("says which function is missing after a restart without it", async () => {
  const file = join(folder(), "state.json");
  const first = await start({ file, functions: { f: () => new Promise(() => undefined) } });
  await first.sm.createSecret({ Name: "a", SecretString: "v" });
  await first.sm.rotateSecret({ SecretId: "a", RotationLambdaARN: "f" });
  await first.local.close();
  const second = await start({ file, rotationRetry: { attempts: 0, delayMs: 0 } });
  await second.local.settled();
  expect(course(second.local.events)).toEqual(["createSecret failed", "RotationFailed"]);
  expect(second.local.events.at(-1)).toMatchObject({ message: expect.stringMatching(/function:f is not registered/) });
});

it.each(["", "{", "[]", "null", '{"secrets":[]}', '{"format":2,"secrets":[]}'])(
  "refuses to start from %j, and leaves the file alone",
  async (content) => {
    const file = join(folder(), "other.json");
    writeFileSync(file, content);
    await expect(startLocal({ file })).rejects.toThrow(`${file} is not a state file of the local endpoint.`);
    expect(readFileSync(file, "utf8")).toBe(content);
  },
);

it("answers InternalServiceError when the file cannot be written, and recovers", async () => {
  const directory = join(folder(), "gone");
  mkdirSync(directory);
  const file = join(directory, "state.json");
  const { sm } = await start({ file });
  rmSync(directory, { recursive: true });
  await expect(sm.createSecret({ Name: "a", SecretString: "s" })).rejects.toMatchObject({
    name: "InternalServiceError",
    message: expect.stringContaining("ENOENT"),
  });
  mkdirSync(directory);
  expect(await sm.listSecrets({})).toMatchObject({ SecretList: [{ Name: "a" }] });
  expect(readdirSync(directory)).toEqual(["state.json"]);
});
