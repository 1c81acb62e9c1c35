import { PassThrough } from "node:stream";
import { styleText } from "node:util";
import { expect, test } from "vitest";
import { fitted, wrap } from "../src/output.ts";

test("a line is broken between words, and goes on below its text, right of a name or a sign", () => {
  const of = "the security groups of the function let nothing out to the port of the database";
  expect(wrap(`✗ VPC to DB   ${of}\n              → Let it: ${of}`, 60)).toBe(
    [
      "✗ VPC to DB   the security groups of the function let",
      "              nothing out to the port of the database",
      "              → Let it: the security groups of the function",
      "                let nothing out to the port of the database",
    ].join("\n"),
  );
  expect(wrap(`Now: ${of}`, 60)).toBe(
    "Now: the security groups of the function let nothing out\n  to the port of the database",
  );
  expect(wrap(`  then      ${of}`, 20)).toMatch(/^ {2}then {6}the\n {4}security/);
});

test.each([
  "quarterturn enable app --function 'it'\\''s; mine' --endpoint-url http://127.0.0.1:4566",
  "aws lambda add-permission --function-name arn:aws:lambda:us-east-1:000000000000:function:shop --action lambda:InvokeFunction",
])("a command stays in one line, and what follows it is broken again: %s", (command) => {
  const wrapped = wrap(
    `  then      it never was on; turn it on, now: ${command}; then look at what its log says, and then again.`,
    60,
  );
  expect(wrapped.split("\n")).toEqual([
    "  then      it never was on; turn it on, now:",
    `            ${command};`,
    "            then look at what its log says, and then again.",
  ]);
});

test("colours take no room", () => {
  const red = styleText("red", "✗", { validateStream: false });
  const bold = styleText("bold", "AWSCURRENT", { validateStream: false });
  expect(wrap(`${red} login       ${bold} is refused`, 36)).toBe(`${red} login       ${bold} is refused`);
  expect(wrap(`${red} login       ${bold} is refused at db`, 30)).toBe(
    `${red} login       ${bold} is\n              refused at db`,
  );
});

test("what is no terminal gets lines as they are", () => {
  const long = "word ".repeat(40).trim();
  expect(fitted(long, Object.assign(new PassThrough(), { columns: 80 }))).toBe(long);
  expect(fitted(long, Object.assign(new PassThrough(), { isTTY: true, columns: 80 }))).toContain("\n");
});
