import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { promisify } from "node:util";
import type { PackedPackage } from "./pack.ts";

const run = promisify(execFile);

/**
 * Publishes to npm's configured registry, in the order given, the packages whose version it does not have yet, and prints a line for each
 * package. So a second run does nothing, and a run after one that was interrupted does the rest. Where GitHub Actions vouches for what it
 * builds, each package carries that as its provenance. npm has this process's terminal, and may ask there for a second factor.
 *
 * @param packages each after those that it depends on, so that whoever installs one in between gets a whole one
 * @throws Error where the registry cannot be asked or refuses a package; why, npm has said
 */
export async function publishPackages(packages: readonly PackedPackage[], { dryRun }: { dryRun: boolean }) {
  const registryOf = await registries();
  const areThere = await Promise.all(
    packages.map(({ name, version }) => isPublished(registryOf(name), `${name}/${version}`)),
  );
  for (const [i, { name, version, tarball }] of packages.entries()) {
    const outcome = areThere[i] ? "there already" : dryRun ? "would publish" : "published";
    if (outcome === "published") {
      const provenance = process.env.ACTIONS_ID_TOKEN_REQUEST_URL === undefined ? [] : ["--provenance"];
      await publish(tarball, "--access", "public", ...provenance);
    }
    console.log(`${outcome.padEnd(15)}${name}@${version}`);
  }
}

/** Where npm would publish a package to: it can be told another registry for a scope, and not for a single name. */
async function registries(): Promise<(name: string) => string> {
  const [registry, ofScope] = await Promise.all([
    npm("config", "get", "registry"),
    npm("config", "get", "@quarterturn:registry"),
  ]);
  return (name) => (name.startsWith("@quarterturn/") && ofScope !== "undefined" ? ofScope : registry);
}

async function isPublished(registry: string, path: string): Promise<boolean> {
  const { ok, status } = await fetch(new URL(path, registry.replace(/\/?$/, "/")));
  if (!ok && status !== 404) throw new Error(`${registry} answers ${status} where it is asked for ${path}.`);
  return ok;
}

/** npm asks for a one-time password, or opens a browser, only where its input and output are a terminal. */
async function publish(tarball: string, ...words: readonly string[]): Promise<void> {
  const npm = spawn("npm", ["--loglevel=error", "publish", tarball, ...words], { stdio: "inherit" });
  const [exitCode] = await once(npm, "close");
  if (exitCode !== 0) throw new Error(`npm did not publish ${tarball}: it says why above.`);
}

async function npm(...words: readonly string[]): Promise<string> {
  return (await run("npm", ["--loglevel=error", ...words])).stdout.trim();
}
