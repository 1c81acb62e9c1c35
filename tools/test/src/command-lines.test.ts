import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const root = new URL("../../..", import.meta.url).pathname;

/** Runs a tool as its npm script does. */
async function run(tool: string, ...commandLine: string[]) {
  const main = `tools/${tool}/src/main.ts`;
  const running = promisify(execFile)(process.execPath, ["--conditions=@quarterturn/source", main, ...commandLine], {
    cwd: root,
  });
  return running.then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: { code: number; stdout: string; stderr: string }) => error,
  );
}

test.concurrent.each(["bundle", "engines", "generate", "new-rotator", "release"])(
  "%s --help says how it is called and does nothing; a wrong option is one line",
  async (tool) => {
    const help = await run(tool, "--help");
    expect(help.stderr).toBe("");
    expect(help.code).toBe(0);
    expect(help.stdout).toMatch(new RegExp(`^npm run ${tool}\\b[^]*[.a-z]`));
    expect(help.stdout).not.toMatch(/wrote|renewed|build\/lambda\/\w/);
    expect(Math.max(...help.stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);

    const wrong = await run(tool, "--wrong");
    expect(wrong.stderr.trimEnd()).toMatch(/^Unknown option '--wrong'.*$/);
    expect(wrong.stdout).toBe("");
    expect(wrong.code).toBe(2);
  },
);

test("new-rotator without a name says how it is called", async () => {
  const { code, stderr } = await run("new-rotator");
  expect(stderr).toMatch(/^npm run new-rotator -- NAME$/m);
  expect(stderr).not.toMatch(/^ +at /m);
  expect(code).toBe(2);
});

/** Lists test files as `npx vitest` does, with ENGINES set. */
async function listed(ENGINES: string) {
  const running = promisify(execFile)("npx", ["vitest", "list", "--filesOnly", "packages/rds-mysql/test"], {
    cwd: root,
    env: { PATH: process.env.PATH, ENGINES },
  });
  return running.then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: { code: number; stdout: string; stderr: string }) => error,
  );
}

test("vitest says in one line that ENGINES names what is no engine, and what it leaves out", async () => {
  const wrong = await listed("redshift");
  expect(wrong.stderr).toContain("The tests of redshift are run with postgres.");
  expect(wrong.stderr + wrong.stdout).not.toMatch(/^ +at |failed to load/m);
  expect(wrong.code).not.toBe(0);
  const { stderr } = await listed("postgres");
  expect(stderr).toContain("ENGINES leaves out mysql, mariadb, mongo, with their tests.");
});
