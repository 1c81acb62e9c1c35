import { expect, test } from "vitest";
import { runDemo } from "./run-demo.ts";

test("--help names the engines", async () => {
  const { code, stdout } = await runDemo(["--help"]);
  expect(stdout).toMatch(/--engine NAME +postgres, mysql, mariadb, documentdb, redshift, template$/m);
  expect(code).toBe(0);
});

test.each([
  [
    "an engine that there is not",
    ["--engine", "oracle"],
    /^There is no engine oracle\. There are: postgres, mysql, mariadb, documentdb, redshift, template\.$/,
  ],
  ["an option that there is not", ["--motor"], /'--motor'/],
  ["more than options", ["mysql"], /'mysql'.*positional arguments/],
])("%s is one line and exit code 2", async (_name, commandLine, words) => {
  const { code, stdout, stderr } = await runDemo(commandLine);
  expect(stderr.trimEnd()).toMatch(words);
  expect(stderr.trimEnd().split("\n")).toHaveLength(1);
  expect(stdout).toBe("");
  expect(code).toBe(2);
});
