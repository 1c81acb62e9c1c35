import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startLambda } from "./lambda-process.ts";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "quarterturn-function-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function start(code: string, timeoutMs = 5_000) {
  await writeFile(join(folder, "index.js"), code);
  return startLambda({ folder, env: { SETTING: "set" }, timeoutMs });
}

describe("a function's process", () => {
  it("gives the handler the event and Lambda's context, and says what the invocation cost", async () => {
    await using lambda = await start(`exports.handler = async (event, context) => {
      console.log(event.Step, context.awsRequestId.length, context.getRemainingTimeInMillis() > 4000);
      performance.measure("waiting", { start: 1, end: 3 });
    };`);
    const { durationMs, peakMemoryMb, measures } = await lambda.invoke({ Step: "createSecret" });
    expect(durationMs).toBeGreaterThan(0);
    expect(peakMemoryMb).toBeGreaterThan(10);
    expect(measures).toEqual([{ name: "waiting", startTime: 1, duration: 2 }]);
    await lambda.kill();
    expect(lambda.output).toBe("createSecret 36 true\n");
  });

  it("has Lambda's environment and the function's settings, and nothing of ours", async () => {
    await using lambda = await start("console.log(JSON.stringify(process.env)); exports.handler = async () => {};");
    await lambda.kill();
    const env = JSON.parse(lambda.output) as Record<string, string>;
    expect(env).toMatchObject({ SETTING: "set", AWS_REGION: "us-east-1", LAMBDA_TASK_ROOT: folder });
    expect(Object.keys(env).filter((name) => /^(npm|VITEST|NODE_ENV|USER|AWS_PROFILE)/.test(name))).toEqual([]);
    expect(env.HOME).toBe(folder);
  });

  it("finds no package of the workspace", async () => {
    await expect(start('require("pg"); exports.handler = async () => {};')).rejects.toThrow("Cannot find module 'pg'");
  });

  it("reports what the handler throws by its name and message, and answers the next event", async () => {
    await using lambda = await start(`exports.handler = async (event) => {
      if (event.fails) throw Object.assign(new Error("why"), { name: "RotationError" });
    };`);
    await expect(lambda.invoke({ fails: true })).rejects.toMatchObject({ name: "RotationError", message: "why" });
    await expect(lambda.invoke({ fails: false })).resolves.toMatchObject({ measures: [] });
  });

  it("is killed when it is out of time, as Lambda kills it", async () => {
    await using lambda = await start("exports.handler = () => new Promise(() => {});", 300);
    await expect(lambda.invoke({})).rejects.toThrow("SIGKILL");
    await expect(lambda.invoke({})).rejects.toThrow("SIGKILL");
  });

  it("that ends by itself is an error with what it wrote", async () => {
    await using lambda = await start('exports.handler = () => { console.error("last words"); process.exit(3); };');
    await expect(lambda.invoke({})).rejects.toThrow(/exit code 3.*last words/s);
  });
});
