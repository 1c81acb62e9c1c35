/** `npm run new-rotator -- NAME`: makes packages/NAME, a rotator to fill in. */
import { join, relative } from "node:path";
import { newRotator, workspace } from "./new-rotator.ts";

try {
  const [name = "", ...others] = process.argv.slice(2);
  if (others.length > 0) throw new Error("One name, please: npm run new-rotator -- NAME");
  const files = await newRotator(name, join(workspace, "packages"));
  for (const file of files) console.log(`wrote ${relative(workspace, file)}`);
  console.log(`
It passes its tests against an imitated service:  npx vitest run packages/${name}
Tell npm and the tables of it:                    npm install && npm run generate
Then fill in src/keys.ts or src/users.ts, and delete the strategy that your service does not need.
The way through: docs/writing-a-rotator.md`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
