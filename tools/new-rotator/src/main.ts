/** `npm run new-rotator -- NAME`: makes packages/NAME, a rotator to fill in. */
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import { newRotator, workspace } from "./new-rotator.ts";

const help = `\
npm run new-rotator -- NAME

Makes packages/NAME: a rotator with both strategies and its tests, to fill in
for a service of yours. docs/writing-a-rotator.md walks through one.

  NAME   small letters and digits, words joined by "-", 25 characters at most`;

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { help: { type: "boolean", short: "h" } },
  });
  const [name, ...others] = positionals;
  if (values.help) console.log(help);
  else if (name === undefined || others.length > 0) throw new Error(help);
  else await make(name);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}

async function make(name: string): Promise<void> {
  const files = await newRotator(name, join(workspace, "packages"));
  for (const file of files) console.log(`wrote ${relative(workspace, file)}`);
  console.log(`
Link it, and renew the tables and the SAM templates:
  npm install && npm run generate
It passes its tests against an imitated service (they kill the functions at
every request, which takes two or three minutes):
  npx vitest run packages/${name}
Then fill in src/keys.ts or src/users.ts, delete the strategy that your service
does not need, and do what is marked TODO. The way: docs/writing-a-rotator.md`);
}
