import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/**
 * @returns the commit that is checked out, or undefined where there is more than what it has
 */
export async function checkedOutCommit(): Promise<string | undefined> {
  return (await git("status", "--porcelain")) === "" ? git("rev-parse", "HEAD") : undefined;
}

/**
 * Tags a commit on `origin`. Before anything of a version is published this makes it that commit's alone. Idempotent.
 *
 * @throws Error where another commit has the tag, or where it cannot be pushed
 */
export async function claimVersion(version: string, commit: string): Promise<void> {
  if (await isClaimed(version, commit)) return;
  await git("push", "origin", `${commit}:${tagOf(version)}`);
  console.log(`tagged         v${version}`);
}

/** @throws Error where it is not this commit that {@link claimVersion} has tagged */
export async function refuseUnclaimed(version: string, commit: string): Promise<void> {
  if (await isClaimed(version, commit)) return;
  throw new Error(`No commit has the tag v${version} on origin: npm run release comes first, and makes it.`);
}

const tagOf = (version: string) => `refs/tags/v${version}`;

/** @throws Error where another commit has the tag */
async function isClaimed(version: string, commit: string): Promise<boolean> {
  const tag = tagOf(version);
  // The last line is the commit, also of a tag that has a message.
  const there = (await git("ls-remote", "origin", tag, `${tag}^{}`)).split("\n").at(-1)?.split("\t")[0];
  if (there && there !== commit)
    throw new Error(
      `v${version} is the version of commit ${there}, and this is ${commit}. To finish that release, check that commit out; to release what has changed since, make the next version (npx changeset).`,
    );
  return there === commit;
}

/**
 * @returns the lines of this repository's pages that say that nothing is published yet, each as FILE:LINE:TEXT; where they are changed how a
 * release goes is left out
 */
export async function linesThatSayNotYet(): Promise<readonly string[]> {
  const pages = ["--", "*.md", ":!.changeset", ":!*CHANGELOG.md"];
  const words = "on npm yet|neither is there yet|(until|once) (it|they|the applications?) (is|are) published";
  const { stdout } = await run("git", ["grep", "-niE", words, ...pages]).catch((error: Error & { code: number }) => {
    if (error.code === 1) return { stdout: "" };
    throw error;
  });
  return stdout.split("\n").filter((line) => line !== "");
}

async function git(...words: readonly string[]): Promise<string> {
  return (await run("git", words)).stdout.trim();
}
