import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { StagedPackage } from "./stage.ts";

const run = promisify(execFile);

/**
 * Publishes to npm's configured registry, in the order given, the packages whose version it does not have yet, and prints a line for each
 * package. So a second run does nothing, and a run after one that was interrupted does the rest. Where GitHub Actions vouches for what it
 * builds, each package carries that as its provenance.
 *
 * @param packages each after those that it depends on, so that whoever installs one in between gets a whole one
 * @throws Error with npm's words, where the registry cannot be asked or refuses a package
 */
export async function publishPackages(packages: readonly StagedPackage[], { dryRun }: { dryRun: boolean }) {
  const registry = await registryOfScope();
  const areThere = await Promise.all(packages.map(({ name, version }) => isPublished(registry, `${name}/${version}`)));
  for (const [i, { name, version, folder }] of packages.entries()) {
    const outcome = areThere[i] ? "there already" : dryRun ? "would publish" : "published";
    if (outcome === "published") {
      const provenance = process.env.ACTIONS_ID_TOKEN_REQUEST_URL === undefined ? [] : ["--provenance"];
      await npm("publish", folder, "--access", "public", ...provenance);
    }
    console.log(`${outcome.padEnd(15)}${name}@${version}`);
  }
}

/** Where npm would publish them to. */
async function registryOfScope(): Promise<string> {
  const ofScope = await npm("config", "get", "@quarterturn:registry");
  return ofScope === "undefined" ? npm("config", "get", "registry") : ofScope;
}

async function isPublished(registry: string, path: string): Promise<boolean> {
  const { ok, status } = await fetch(new URL(path, registry));
  if (!ok && status !== 404) throw new Error(`${registry} answers ${status} where it is asked for ${path}.`);
  return ok;
}

async function npm(...words: readonly string[]): Promise<string> {
  const { stdout } = await run("npm", ["--loglevel=error", ...words]).catch((error: Error & { stderr: string }) => {
    throw new Error(`npm ${words.slice(0, 2).join(" ")} failed: ${error.stderr}`, { cause: error });
  });
  return stdout.trim();
}
