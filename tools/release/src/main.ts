/** `npm run release`: publishes what is not on npm yet. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { parseArgs, promisify } from "node:util";
import { judgePackages } from "./judge.ts";
import { publishPackages } from "./publish.ts";
import { stagePackages } from "./stage.ts";

const run = promisify(execFile);

const help = `\
npm run release -- [--dry-run]

Builds the packages, has them judged, publishes those to npm whose version is
not there yet, and tags the commit. The same again does nothing; after an
interruption it does the rest.

  --dry-run   says what would be published, and changes nothing`;

try {
  const { values } = parseArgs({
    options: { help: { type: "boolean", short: "h" }, "dry-run": { type: "boolean", default: false } },
  });
  if (values.help) console.log(help);
  else await release(values["dry-run"]);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}

async function release(dryRun: boolean): Promise<void> {
  if (!dryRun && (await git("status", "--porcelain")) !== "")
    throw new Error(
      "There are changes that are not committed: what is published must be a commit's. Commit them first.",
    );
  const [exitCode] = await once(spawn("npm", ["run", "build"], { stdio: "inherit" }), "close");
  if (exitCode !== 0) throw new Error("The build failed, so nothing was published.");
  const packages = await stagePackages();
  if (!(await judgePackages(packages))) throw new Error("Not all packages are well, so nothing was published.");
  await publishPackages(packages, { dryRun });
  if (!dryRun) await tag(`v${packages[0]?.version}`);
}

/** Packages are versioned together, so one tag is for all. One that is there already stays where it is. */
async function tag(name: string): Promise<void> {
  if ((await git("tag", "--list", name)) !== "") return;
  await git("tag", name);
  console.log(`tagged           ${name}: git push origin ${name}`);
}

async function git(...words: readonly string[]): Promise<string> {
  return (await run("git", words)).stdout.trim();
}
