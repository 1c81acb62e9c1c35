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
      const left = context.getRemainingTimeInMillis();
      console.log(event.Step, context.awsRequestId.length, context.invokedFunctionArn, left > 4000 && left <= 5000);
      performance.measure("waiting", { start: 1, end: 3 });
    };`);
    const { durationMs, processorMs, peakMemoryMb, measures } = await lambda.invoke({ Step: "createSecret" });
    expect(durationMs).toBeGreaterThan(0);
    expect(processorMs).toBeGreaterThan(10);
    expect(peakMemoryMb).toBeGreaterThan(10);
    expect(measures).toEqual([{ name: "waiting", startTime: 1, duration: 2 }]);
    await lambda.kill();
    const arn = "arn:aws:lambda:us-east-1:000000000000:function:rotation";
    expect(JSON.parse(lambda.output)).toMatchObject({ level: "INFO", message: `createSecret 36 ${arn} true` });
  });

  it("has Lambda's environment and the function's settings, and nothing of ours", async () => {
    await using lambda = await start(
      "process.stdout.write(JSON.stringify(process.env)); exports.handler = async () => {};",
    );
    await lambda.kill();
    const env = JSON.parse(lambda.output) as Record<string, string>;
    expect(env).toMatchObject({ SETTING: "set", AWS_REGION: "us-east-1", LAMBDA_TASK_ROOT: folder });
    expect(Object.keys(env).filter((name) => /^(npm|VITEST|NODE_ENV|USER|AWS_PROFILE)/.test(name))).toEqual([]);
    expect(env.HOME).toBe(folder);
  });

  it.each([
    [
      "a package of the workspace",
      'require("pg"); exports.handler = async () => {};',
      "Runtime.ImportModuleError",
      "'pg'",
    ],
    ["JavaScript that is none", "exports.handler = async () => {", "Runtime.UserCodeSyntaxError", "SyntaxError"],
    ["no handler", "exports.other = async () => {};", "Runtime.HandlerNotFound", "index.handler is undefined"],
    ["an error while it is loaded", 'throw new TypeError("too early");', "TypeError", "too early"],
  ])(
    "is not started where the handler's file has %s: the error is the one that Lambda reports",
    async (_, code, name, words) => {
      await expect(start(code)).rejects.toMatchObject({ name, message: expect.stringContaining(words) });
    },
  );

  it("reports what the handler throws by its name and message, and answers the next event", async () => {
    await using lambda = await start(`exports.handler = async (event) => {
      if (event.fails) throw Object.assign(new Error("why ☃"), { name: "RotationError" });
    };`);
    await expect(lambda.invoke({ fails: true })).rejects.toMatchObject({ name: "RotationError", message: "why ☃" });
    await expect(lambda.invoke({ fails: false })).resolves.toMatchObject({ measures: [] });
  });

  it("is killed when it is out of time, as Lambda kills it, and said to be", async () => {
    await using lambda = await start(
      "exports.handler = () => new Promise((resolve) => setTimeout(resolve, 60_000));",
      300,
    );
    await expect(lambda.invoke({})).rejects.toMatchObject({
      name: "Sandbox.Timedout",
      message: expect.stringMatching(/^RequestId: [0-9a-f-]{36} Error: Task timed out after 0.30 seconds$/),
    });
    await expect(lambda.invoke({})).rejects.toMatchObject({ name: "Runtime.ExitError" });
  });

  it("that ends by itself is an error with what it wrote", async () => {
    await using lambda = await start('exports.handler = () => { console.error("last words"); process.exit(3); };');
    await expect(lambda.invoke({})).rejects.toMatchObject({
      name: "Runtime.ExitError",
      message: expect.stringMatching(/exit status 3.*last words/s),
    });
  });
});
