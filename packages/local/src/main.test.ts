import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SecretsManager } from "@aws-sdk/client-secrets-manager";
import { expect, it, onTestFinished } from "vitest";
import { versionWith } from "../test/endpoint.ts";

const MAIN = join(import.meta.dirname, "main.ts");

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "quarterturn-local-"));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

function run(...flags: string[]): ReturnType<typeof runWith> {
  return runWith({}, ...flags);
}

function runWith(
  env: Record<string, string>,
  ...flags: string[]
): { child: ChildProcess; output: () => string; errors: () => string } {
  const child = spawn(process.execPath, [MAIN, ...flags], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...env },
  });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  let output = "";
  let errors = "";
  child.stdout.on("data", (chunk) => {
    output += chunk;
  });
  child.stderr.on("data", (chunk) => {
    errors += chunk;
  });
  return { child, output: () => output, errors: () => errors };
}

const HANDLER = `
exports.handler = async ({ Step, ClientRequestToken }) => {
  require("node:fs").appendFileSync(__dirname + "/steps", Step + "\\n");
  if (Step === "setSecret") throw new Error("this one fails");
};`;

it.each(["SIGINT", "SIGTERM"] as const)(
  "prints its URL, rotates with a module, and ends cleanly on %s",
  async (signal) => {
    const directory = folder();
    writeFileSync(join(directory, "handler.cjs"), HANDLER);
    const file = join(directory, "state.json");
    const { child, output, errors } = run(
      "--port",
      "0",
      "--function",
      `f=${join(directory, "handler.cjs")}`,
      "--file",
      file,
    );
    await expect.poll(output, { timeout: 5_000 }).toMatch(/^http:\/\/127\.0\.0\.1:\d+\n$/);
    const credentials = { accessKeyId: "local", secretAccessKey: "local" };
    const sm = new SecretsManager({ endpoint: output().trim(), region: "us-east-1", credentials });
    await sm.createSecret({ Name: "a", SecretString: "s3cr3t" });
    const { VersionId } = await sm.rotateSecret({ SecretId: "a", RotationLambdaARN: "f" });
    await expect.poll(errors).toContain("setSecret: Error: this one fails");
    expect(await versionWith(sm, "a", "AWSPENDING")).toBe(VersionId);
    sm.destroy();
    child.kill(signal);
    expect(await once(child, "exit")).toEqual([0, null]);
    expect(readFileSync(join(directory, "steps"), "utf8")).toMatch(/^createSecret\nsetSecret\n/);
    expect(errors()).not.toContain("s3cr3t");
    expect(readFileSync(file, "utf8")).toContain("s3cr3t");
  },
);

it("gives a function this endpoint and nothing of the shell's AWS, from when its module is loaded", async () => {
  const directory = folder();
  writeFileSync(
    join(directory, "handler.cjs"),
    `require("node:fs").writeFileSync(__dirname + "/env", JSON.stringify(process.env)); exports.handler = async () => {};`,
  );
  const shell = {
    AWS_PROFILE: "production",
    AWS_SESSION_TOKEN: "real",
    AWS_ACCESS_KEY_ID: "real",
    AWS_SECRET_ACCESS_KEY: "real",
    AWS_ENDPOINT_URL_SECRETS_MANAGER: "http://127.0.0.1:9",
    AWS_REGION: "eu-north-1",
  };
  const { output } = runWith(shell, "--function", `f=${join(directory, "handler.cjs")}`);
  await expect.poll(output, { timeout: 5_000 }).toMatch(/^http:/);
  const seen = JSON.parse(readFileSync(join(directory, "env"), "utf8")) as Record<string, string>;
  const url = output().trim();
  expect(seen).toMatchObject({
    SECRETS_MANAGER_ENDPOINT: url,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: url,
    AWS_REGION: "us-east-1",
  });
  expect(seen).not.toHaveProperty("AWS_PROFILE");
  expect(JSON.stringify(seen)).not.toContain('"real"');
});

it("a port that is taken is told in one line, with what to do", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const { child, errors } = run("--port", String(port));
  expect(await once(child, "close")).toEqual([1, null]);
  expect(errors()).toBe(
    `error: port ${port} of 127.0.0.1 is taken: give another with --port, or none for any that is free.\n`,
  );
});

it.each([
  [["--function", "f=a.js", "--function", "f=b.js"], "There are two functions of the name f."],
  [["--port", "eighty"], "It is a number from 0 to 65535."],
  [["--port", "65536"], "It is a number from 0 to 65535."],
  [["--function", "f"], "It is NAME=MODULE-OR-URL"],
  [
    ["--function", "f=./no-such-module.js"],
    `neither a file nor a package ./no-such-module.js; a path is relative to the folder that this runs in, ${process.cwd()}.`,
  ],
  [["--function", `f=${join(import.meta.dirname, "errors.ts")}`], "exports no function named handler"],
  [["--file", MAIN], "is not a state file"],
  [["--file", "/no-such-folder/state.json"], "The state cannot be kept in /no-such-folder/state.json"],
])("%j is refused in one line", async (flags, message) => {
  const { child, output, errors } = run(...flags);
  const [code] = await once(child, "close");
  expect(code).toBe(1);
  expect(output()).toBe("");
  expect(errors()).toContain(message);
});
