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
  const tag = `refs/tags/v${version}`;
  // The last line is the commit, also of a tag that has a message.
  const there = (await git("ls-remote", "origin", tag, `${tag}^{}`)).split("\n").at(-1)?.split("\t")[0];
  if (there === commit) return;
  if (there)
    throw new Error(
      `v${version} is the version of commit ${there}, and this is ${commit}. To finish that release, check that commit out; to release what has changed since, make the next version (npx changeset).`,
    );
  await git("push", "origin", `${commit}:${tag}`);
  console.log(`tagged         v${version}`);
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
