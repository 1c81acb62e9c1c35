import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const run = (...commandLine: string[]) =>
  promisify(execFile)(process.execPath, ["--conditions=@quarterturn/source", main, ...commandLine]);

it("--help names the engines", async () => {
  expect((await run("--help")).stdout).toMatch(
    /--engine NAME +postgres, mysql, mariadb, documentdb, redshift, template$/m,
  );
});

it("an engine that there is not: one line and exit code 2", async () => {
  await expect(run("--engine", "oracle")).rejects.toMatchObject({
    code: 2,
    stdout: "",
    stderr: "There is no engine oracle. There are: postgres, mysql, mariadb, documentdb, redshift, template.\n",
  });
});
