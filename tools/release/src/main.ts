/** `npm run release`: publishes what is not on npm yet. Without --packed and its build it needs nothing but Node and npm. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { glob, rm } from "node:fs/promises";
import { parseArgs } from "node:util";
import { checkedOutCommit, claimVersion, linesThatSayNotYet } from "./git.ts";
import { judgePackages } from "./judge.ts";
import { packedPackages, packPackages } from "./pack.ts";
import { publishPackages } from "./publish.ts";
import { stagePackages } from "./stage.ts";

const help = `\
npm run release -- [--dry-run] [--packed]

Builds the packages, has them judged, packs them, tags the commit on origin,
and publishes to npm those whose version is not there yet. The same again does
nothing; after an interruption it does the rest.

  --dry-run   packs them to build/packed, and says what would be published
  --packed    publishes what a dry run of this commit has packed, and builds
              nothing: needs no npm ci`;

try {
  const { values } = parseArgs({
    options: {
      help: { type: "boolean", short: "h" },
      "dry-run": { type: "boolean", default: false },
      packed: { type: "boolean", default: false },
    },
  });
  if (values.help) console.log(help);
  else await release(values["dry-run"], values.packed);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}

async function release(dryRun: boolean, isPacked: boolean): Promise<void> {
  const commit = await checkedOutCommit();
  if (!dryRun && commit === undefined)
    throw new Error(
      "There are changes that are not committed: what is published must be a commit's. Commit them first.",
    );
  const notYet = (await linesThatSayNotYet()).join("\n");
  if (notYet !== "") {
    const text = `These lines hold no longer once this is published:\n${notYet}`;
    if (!dryRun) throw new Error(`${text}\nCommit the pages without them first: what is tagged links to itself.`);
    console.log(text);
  }
  if (!isPacked) await pack(commit);
  const packages = await packedPackages(commit);
  if (!dryRun && commit !== undefined && packages[0]) await claimVersion(packages[0].version, commit);
  await publishPackages(packages, { dryRun });
}

async function pack(commit: string | undefined): Promise<void> {
  await removeBuilt();
  const [exitCode] = await once(spawn("npm", ["run", "build", "--", "--skip-nx-cache"], { stdio: "inherit" }), "close");
  if (exitCode !== 0) throw new Error("The build failed, so nothing was published.");
  const staged = await stagePackages();
  if (!(await judgePackages(staged))) throw new Error("Not all packages are well, so nothing was published.");
  await packPackages(staged, commit);
}

/** A build leaves files of sources that are there no longer, and nx keeps them with its result: what is published is of this commit alone. */
async function removeBuilt(): Promise<void> {
  for await (const folder of glob("packages/*/dist")) await rm(folder, { recursive: true });
}
