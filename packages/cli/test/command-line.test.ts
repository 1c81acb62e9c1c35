/** The program as a process: how it is called, and what it is in a terminal. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, open, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { promisify, stripVTControlCharacters } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { applications } from "../src/applications.ts";
import { exitCodes } from "../src/exit-codes.ts";
import { quarterturn, quarterturnAt } from "./command-line.ts";
import { startImitatedAws } from "./imitated-aws.ts";
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
  "doctor",
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

test("an older Node.js is named in one line, before anything that it cannot load", async () => {
  const older = 'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "22.9.0" } })';
  const args = ["--import", `data:text/javascript,${older}`, ...process.execArgv, MAIN, "--version"];
  await expect(promisify(execFile)(process.execPath, args)).rejects.toMatchObject({
    code: 2,
    stdout: "",
    stderr: "quarterturn: It takes Node.js 22.15 or later, and this is 22.9.0.\n",
  });
});

test.each([
  [["nonsense"], /unknown command 'nonsense'/],
  [["statsu"], /unknown command 'statsu' \(Did you mean status\?\)\. See/],
  [["status", "a", "--all"], /--all lists secrets by itself, so no name goes with it/],
  [["status", "a", "--tag", "b=c"], /--tag lists secrets by itself, so no name goes with it/],
  [["status"], /status takes names or ARNs of secrets, or --all, or --tag/],
  [["rotate"], /missing required argument 'SECRET'/],
  [["rotate", "a", "--wrong"], /unknown option '--wrong'/],
  [["rotate", "a", "--timeout", "soon"], /It is a whole number of seconds/],
  [["status", "a", "--endpoint-url", "here"], /It is a URL/],
  [["status", "a", "--endpoint-url", "localhost:4566"], /It is a URL, with https:\/\/ or http:\/\//],
  [["local", "--port", "eighty"], /It is a number from 0 to 65535/],
  [["rotate", ""], /SECRET is empty: a variable of the shell may not be set\./],
  [["status", "a", ""], /SECRET is empty/],
  [["stage", "a", "", "b"], /LABEL is empty/],
  [["status", "a", "--region="], /--region is empty/],
  [["rollback", "a", "--admin-secret", ""], /--admin-secret is empty/],
])("%j is a wrong command line: one line, exit code 2", async (words, message) => {
  const { code, stdout, stderr } = await quarterturn(words);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toMatch(message);
  const [command = ""] = words;
  const help = commands.includes(command) ? `${command} --help` : "--help";
  expect(stderr).toMatch(new RegExp(`^quarterturn: [^\\n]+\\. See quarterturn ${help}\\.\\n$`));
  const { error } = JSON.parse((await quarterturn([...words, "--json"])).stdout) as { error: { message: string } };
  expect(error).toMatchObject({ exitCode: 2, next: `See quarterturn ${help}.` });
  expect(stderr).toBe(`quarterturn: ${error.message} See quarterturn ${help}.\n`);
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

// Each is a process or more, which take long to start on a machine that has much else to do.
describe("as a process", { timeout: 120_000 }, () => {
  let service: Service;
  let env: NodeJS.ProcessEnv;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "quarterturn-cli-"));
    service = await startService();
    env = {
      ...process.env,
      AWS_ENDPOINT_URL: service.local.url,
      NODE_COMPILE_CACHE: folder,
      TERM: "xterm",
      CI: undefined,
    };
    await service.sm.createSecret({ Name: "app", SecretString: "value" });
    await service.sm.rotateSecret({ SecretId: "app", RotationLambdaARN: "works" });
    await service.local.settled("app");
  });
  afterAll(async () => {
    await service[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  const start = (...words: string[]) => spawn(process.execPath, [...process.execArgv, MAIN, ...words], { env });

  /**
   * In a real pseudo-terminal of 80 columns, typing each answer once its question is there, and what answers none before anything else.
   * @param onStart is given what closes the terminal
   * @returns what the terminal was sent
   */
  const runInTerminal = async (
    words: readonly string[],
    {
      answers = [],
      onStart,
      ...more
    }: {
      answers?: readonly (readonly [question: string, keys: string])[];
      onStart?: (close: () => Promise<unknown>) => void;
      NO_COLOR?: "1";
    } = {},
  ) => {
    const command = JSON.stringify([process.execPath, ...process.execArgv, MAIN, ...words]);
    const running = promisify(execFile)("python3", ["-c", pseudoTerminal, command, JSON.stringify(answers)], {
      env: { ...env, ...more },
    });
    const { stdin, stdout: told } = running.child;
    onStart?.(async () => {
      stdin?.end();
      if (told) await once(told, "data");
    });
    const { stdout } = await running;
    return JSON.parse(stdout) as { code: number; output: string };
  };

  test("prints the result on standard output, all else on standard error, and ends with the exit code", async () => {
    const child = start("status", "app", "none");
    const [stdout, stderr, ending] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
    expect(stdout).toMatch(/^app\n {2}state /);
    expect(stderr).toMatch(/^quarterturn: There is no secret "none" .*\n$/);
    expect(ending).toEqual([4, null]);
  });

  test("a reader that has gone away is no error: neither of results, nor of all else", async () => {
    const child = start("status", "app", "none");
    child.stdout.destroy();
    child.stderr.destroy();
    expect(await once(child, "exit")).toEqual([4, null]);
  });

  test("a full disk is told in one line", async () => {
    const full = await open("/dev/full", "w");
    const child = spawn(process.execPath, [...process.execArgv, MAIN, "apps"], {
      env,
      stdio: ["ignore", full.fd, "pipe"],
    });
    const [stderr, ending] = await Promise.all([text(child.stderr as Readable), once(child, "exit")]);
    await full.close();
    expect(stderr).toMatch(/^quarterturn: The result could not be written \(ENOSPC.*\)\.\n$/);
    expect(ending).toEqual([1, null]);
  });

  /** An endpoint at which this happens while a label is being moved. */
  const whileMoving = (act: () => Promise<unknown>) =>
    startImitatedAws(service.local.url, "none", async (operation) => {
      if (operation === "UpdateSecretVersionStage") await act();
      return undefined;
    });
  const versionWith = async (label: string) => {
    const { VersionIdsToStages = {} } = await service.sm.describeSecret({ SecretId: "app" });
    return Object.keys(VersionIdsToStages).find((id) => VersionIdsToStages[id]?.includes(label));
  };

  test("while a label is being moved, no signal ends it, however often it comes; after that it ends by itself", async () => {
    const current = (await versionWith("AWSCURRENT")) ?? "";
    const said: string[] = [];
    await using aws = await whileMoving(async () => {
      const lines = createInterface(child.stderr)[Symbol.asyncIterator]();
      const hear = async () => said.push(String((await lines.next()).value));
      await hear();
      for (const signal of ["SIGINT", "SIGINT", "SIGTERM", "SIGHUP"] as const) {
        child.kill(signal);
        await hear();
      }
    });
    const child = start("stage", "app", "held", current, "--yes", "--endpoint-url", aws.url);
    expect(await once(child, "exit")).toEqual([0, null]);
    const wait = "Wait: this must not be left half done. It ends by itself.";
    expect(said).toEqual([`held is given to version ${current}`, wait, wait, wait, wait]);
    expect(await versionWith("held")).toBe(current);
  });

  test("nor does a terminal that is closed", async () => {
    const current = (await versionWith("AWSCURRENT")) ?? "";
    const { promise: close, resolve: onStart } = Promise.withResolvers<() => Promise<unknown>>();
    await using aws = await whileMoving(async () => (await close)());
    const words = ["stage", "app", "closed", current, "--yes", "--endpoint-url", aws.url];
    expect(await runInTerminal(words, { onStart })).toMatchObject({ code: 0 });
    expect(await versionWith("closed")).toBe(current);
  });

  test("in a terminal shows colours, and what is going on", async () => {
    const { code, output } = await runInTerminal(["status", "--all"]);
    expect(code).toBe(0);
    expect(output).toContain("\u001b[1mSTATE\u001b[22m");
    expect(output).toContain("█ 1 of 1");
  });

  test("there lines are broken between words", async () => {
    const { output } = await runInTerminal(["status", "none"], { NO_COLOR: "1" });
    expect(stripVTControlCharacters(output)).toMatch(
      /See those that there are:\r\n {2}quarterturn status --all; or give another --region\./,
    );
  });

  test("there a rotation is followed with its signs above the line that moves; NO_COLOR takes the colours away", async () => {
    const { code, output } = await runInTerminal(["rotate", "app", "--wait"], { NO_COLOR: "1" });
    expect(code).toBe(0);
    expect(output).toContain("Rotating app");
    expect(output).toMatch(/\d\d:\d\d:\d\d {2}AWSCURRENT /);
    expect(output).toContain("is AWSCURRENT, after");
    expect(output).not.toMatch(colour);
  });

  test("there it asks, and takes Ctrl-C for an answer, and yes", async () => {
    const isOn = async () => (await service.sm.describeSecret({ SecretId: "app" })).RotationEnabled;
    const question = "Cancel the rotation of app?";
    const interrupted = await runInTerminal(["cancel", "app"], { answers: [[question, "\u0003"]] });
    expect(interrupted.code).toBe(130);
    expect(await isOn()).toBe(true);
    const yes = await runInTerminal(["cancel", "app"], { answers: [[question, "y"]], NO_COLOR: "1" });
    expect(yes.code).toBe(0);
    expect(yes.output).not.toMatch(colour);
    expect(await isOn()).toBe(false);
  });

  test("and Ctrl-D for none; what was typed before the question is none either", async () => {
    const question = "Cancel the rotation of app?";
    await service.sm.rotateSecret({ SecretId: "app", RotateImmediately: false });
    await service.local.settled("app");
    const ran = await runInTerminal(["cancel", "app"], {
      answers: [
        ["", "y"],
        [question, "\u0004"],
      ],
    });
    expect(ran).toEqual({ code: 130, output: expect.stringContaining("quarterturn: Nothing was changed.") });
    const run = quarterturnAt(service.local);
    for (const surroundings of [
      { key: "\u0004" },
      { key: null },
      { key: "n", typed: "y" },
      { key: "n", typed: "y\n" },
    ]) {
      const { code, stderr } = await run("cancel app", surroundings);
      expect({ code, stderr }).toEqual({
        code: surroundings.key === "n" ? 3 : 130,
        stderr: expect.stringContaining("quarterturn: Nothing was changed"),
      });
    }
    expect((await service.sm.describeSecret({ SecretId: "app" })).RotationEnabled).toBe(true);
  });

  test("and no", async () => {
    await service.sm.rotateSecret({ SecretId: "app", RotateImmediately: false });
    await service.local.settled("app");
    expect(await quarterturnAt(service.local)("cancel app", { key: "n" })).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("Nothing was changed: the answer was no."),
    });
    expect((await service.sm.describeSecret({ SecretId: "app" })).RotationEnabled).toBe(true);
  });
});

/** A sequence that gives what follows a colour or a weight. */
const colour = /\p{Cc}\[[\d;]*m/u;

/**
 * Runs a command in a pseudo-terminal and says, as JSON, how it ended and what it wrote. Words and answers are JSON too. The end of standard
 * input closes the terminal, and an empty line says that it is closed.
 */
const pseudoTerminal = `
import json, os, pty, select, struct, sys, fcntl, termios
command, answers = json.loads(sys.argv[1]), json.loads(sys.argv[2])
pid, terminal = pty.fork()
if pid == 0:
    os.execv(command[0], command)
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
output = b""
while answers and answers[0][0] == "":
    os.write(terminal, answers.pop(0)[1].encode())
while True:
    if sys.stdin in select.select([terminal, sys.stdin], [], [])[0]:
        os.close(terminal)
        print(flush=True)
        break
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
