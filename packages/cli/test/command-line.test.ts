/** The program as a process: how it is called, and what it is in a terminal. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { applications } from "../src/applications.ts";
import { exitCodes } from "../src/exit-codes.ts";
import { quarterturn } from "./command-line.ts";
import { type Service, startService } from "./secrets-manager.ts";

const MAIN = new URL("../src/main.ts", import.meta.url).pathname;
const commands = [
  "status",
  "enable",
  "rotate",
  "cancel",
  "rollback",
  "recover",
  "discard-old",
  "stage",
  "apps",
  "local",
  "demo",
];

describe("--help", () => {
  test.each(["", ...commands])("%s fits into 80 columns", async (command) => {
    const { code, stdout, stderr } = await quarterturn([...(command ? [command] : []), "--help"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(new RegExp(`^Usage: quarterturn ${command}`));
    expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  test("lists these commands, each with --json and --debug, and those that talk to AWS with where", async () => {
    const { stdout } = await quarterturn(["--help"]);
    const listed = [...stdout.matchAll(/^ {2}([a-z-]+) {2}/gm)].map(([, name]) => name);
    expect(listed).toEqual([...commands, "help"]);
    for (const command of commands) {
      const help = (await quarterturn([command, "--help"])).stdout;
      expect(help).toMatch(/--json.*\n.*--debug/);
      if (!["apps", "local", "demo"].includes(command))
        expect(help).toMatch(/--region.*\n.*--profile.*\n.*--endpoint-url/);
    }
  });
});

test.each([
  [["nonsense"], /unknown command 'nonsense'/],
  [["rotate"], /missing required argument 'SECRET'/],
  [["rotate", "a", "--wrong"], /unknown option '--wrong'/],
  [["rotate", "a", "--timeout", "soon"], /It is a whole number of seconds/],
  [["status", "a", "--endpoint-url", "here"], /It is a URL/],
  [["local", "--port", "eighty"], /It is a number from 0 to 65535/],
])("%j is a wrong command line: one line, exit code 2", async (words, message) => {
  const { code, stdout, stderr } = await quarterturn(words);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toMatch(message);
  expect(stderr).toMatch(/^quarterturn: [^\n]+ See quarterturn --help\.\n$/);
});

test("apps lists every application that there is a template for", async () => {
  const { stdout } = await quarterturn(["apps"]);
  const templates = (await readdir(new URL("../../../sam-templates", import.meta.url))).filter(
    (name) => !name.includes("."),
  );
  expect(applications.map(({ name }) => name).sort()).toEqual(templates.map((name) => `quarterturn-${name}`).sort());
  for (const name of templates) expect(stdout).toContain(`quarterturn-${name} `);
  expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
});

test("the README has the table of exit codes", async () => {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const rows = Object.values(exitCodes).map(({ code, meaning }) => `| ${code} | ${meaning} |`);
  expect(readme).toContain(`| code | meaning |\n| --- | --- |\n${rows.join("\n")}\n`);
});

describe("as a process", () => {
  let service: Service;
  let env: NodeJS.ProcessEnv;
  beforeAll(async () => {
    service = await startService();
    env = {
      ...process.env,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: service.local.url,
      AWS_ENDPOINT_URL: service.local.url,
      TERM: "xterm",
      CI: undefined,
    };
    await service.sm.createSecret({ Name: "app", SecretString: "value" });
    await service.sm.rotateSecret({ SecretId: "app", RotationLambdaARN: "works" });
    await service.local.settled("app");
  });
  afterAll(() => service[Symbol.asyncDispose]());

  const run = (...words: string[]) =>
    promisify(execFile)(process.execPath, [...process.execArgv, MAIN, ...words], { env }).then(
      ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
      (error: { code: number; stdout: string; stderr: string }) => error,
    );

  /**
   * In a real pseudo-terminal of 80 columns, typing each answer once its question is there.
   * @returns what the terminal was sent
   */
  const runInTerminal = async (
    words: readonly string[],
    answers: readonly (readonly [question: string, keys: string])[] = [],
  ) => {
    const command = JSON.stringify([process.execPath, ...process.execArgv, MAIN, ...words]);
    const { stdout } = await promisify(execFile)("python3", ["-c", pseudoTerminal, command, JSON.stringify(answers)], {
      env,
    });
    return JSON.parse(stdout) as { code: number; output: string };
  };

  test("prints the result on standard output, and ends with the exit code", async () => {
    expect(await run("status", "app")).toMatchObject({ code: 0, stdout: expect.stringMatching(/^app\n/), stderr: "" });
    expect(await run("status", "none")).toMatchObject({ code: 4, stdout: "" });
  });

  test("a reader that has gone away is no error", async () => {
    const child = spawn(process.execPath, [...process.execArgv, MAIN, "status", "--all"], { env });
    child.stdout.destroy();
    const [said, ending] = await Promise.all([text(child.stderr), once(child, "exit")]);
    expect({ said, ending }).toEqual({ said: "", ending: [0, null] });
  });

  test("in a terminal shows colours and what is going on; NO_COLOR and pipes have none", async () => {
    const esc = "\u001b";
    const { code, output } = await runInTerminal(["status", "--all"]);
    expect(code).toBe(0);
    expect(output).toContain(`${esc}[1mSTATE${esc}[22m`);
    expect(output).toContain("█ 1 of 1");
    expect((await run("status", "--all")).stdout).not.toContain(esc);
    env = { ...env, NO_COLOR: "1" };
    expect((await runInTerminal(["status", "--all"])).output).not.toContain(`${esc}[1m`);
    env = { ...env, NO_COLOR: undefined };
  });

  test("in a terminal a rotation is followed with its signs above the line that moves", async () => {
    const { code, output } = await runInTerminal(["rotate", "app", "--wait"]);
    expect(code).toBe(0);
    expect(output).toContain("Rotating app");
    expect(output).toMatch(/\d\d:\d\d:\d\d {2}AWSCURRENT /);
    expect(output).toContain("is AWSCURRENT, after");
  });

  test("in a terminal it asks, and takes no for an answer, and yes", async () => {
    const { RotationEnabled } = await service.sm.describeSecret({ SecretId: "app" });
    expect(RotationEnabled).toBe(true);
    const question = "Cancel the rotation of app?";
    const no = await runInTerminal(["cancel", "app"], [[question, "n"]]);
    expect(no.output).toContain("Nothing was changed: the answer was no.");
    expect(no.code).toBe(3);
    const interrupted = await runInTerminal(["cancel", "app"], [[question, "\u0003"]]);
    expect(interrupted.code).toBe(130);
    expect((await service.sm.describeSecret({ SecretId: "app" })).RotationEnabled).toBe(true);
    const yes = await runInTerminal(["cancel", "app"], [[question, "y"]]);
    expect(yes.code).toBe(0);
    expect((await service.sm.describeSecret({ SecretId: "app" })).RotationEnabled).toBe(false);
  });
});

/** Runs a command in a pseudo-terminal and says, as JSON, how it ended and what it wrote. Words and answers are JSON too. */
const pseudoTerminal = `
import json, os, pty, struct, sys, fcntl, termios
command, answers = json.loads(sys.argv[1]), json.loads(sys.argv[2])
pid, terminal = pty.fork()
if pid == 0:
    os.execv(command[0], command)
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
output = b""
while True:
    try:
        chunk = os.read(terminal, 65536)
    except OSError:
        break
    if not chunk:
        break
    output += chunk
    if answers and answers[0][0].encode() in output:
        os.write(terminal, answers.pop(0)[1].encode())
code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
print(json.dumps({"code": code, "output": output.decode()}))
`;
