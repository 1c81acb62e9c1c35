import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

/** A package of Debian's archive, or of Ubuntu's, which keeps older releases of what Debian has the newest one of. */
export interface DebianPackage {
  readonly name: string;
  readonly archive: "Debian" | "Ubuntu";
  /** The distribution that it is in, e.g. "unstable". */
  readonly suite: string;
}

const run = promisify(execFile);
const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";

/**
 * Unpacks a package and everything that it depends on, its C library included, into a folder. apt-get fetches them from the mirror that this
 * machine uses (of Ubuntu's archive: UBUNTU_MIRROR), checks the archive's signature and the packages' sums, and installs nothing: its lists, its
 * state and the packages are in a folder of their own, which goes in the end.
 *
 * @throws Error where this machine has no apt of Debian's, or where it cannot fetch the packages
 */
export async function unpackDebianPackage(wanted: DebianPackage, into: string): Promise<void> {
  const { name } = wanted;
  if (process.platform !== "linux" || process.arch !== "x64" || !existsSync(KEYRING)) {
    throw new Error(`it comes from Debian's package ${name}, which takes a Debian on x64`);
  }
  const apt = `${into}.apt`;
  const archives = join(apt, "archives");
  try {
    for (const folder of [join(apt, "lists/partial"), join(archives, "partial"), into]) {
      await mkdir(folder, { recursive: true });
    }
    const sources = join(apt, "sources.list");
    await writeFile(sources, await sourcesOf(wanted, apt));
    await writeFile(join(apt, "status"), "");
    const options = [
      `Dir::Etc::SourceList=${sources}`,
      "Dir::Etc::SourceParts=-",
      "Dir::Etc::Preferences=-",
      "Dir::Etc::PreferencesParts=-",
      `Dir::State::Lists=${join(apt, "lists")}`,
      `Dir::State::status=${join(apt, "status")}`,
      `Dir::Cache::Archives=${archives}`,
      "Dir::Cache::pkgcache=",
      "Dir::Cache::srcpkgcache=",
      "APT::Install-Recommends=false",
      "Acquire::Languages=none",
      "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false",
    ].flatMap((option) => ["-o", option]);
    await run("apt-get", [...options, "--quiet", "--error-on=any", "update"]);
    await run("apt-get", [...options, "--quiet", "--yes", "--download-only", "install", name], {
      maxBuffer: 10_000_000,
    });
    for (const file of await readdir(archives)) {
      if (file.endsWith(".deb")) await run("dpkg", ["-x", join(archives, file), into]);
    }
    await run("chmod", ["-R", "a+rX", into]);
  } finally {
    await rm(apt, { recursive: true, force: true });
  }
}

/** The lines of sources.list. Ubuntu's keys come from Debian's archive, signed by Debian's. */
async function sourcesOf({ archive, suite }: DebianPackage, apt: string): Promise<string> {
  if (archive === "Debian") return `deb [signed-by=${KEYRING}] ${await debianMirror()} ${suite} main\n`;
  const mirror = process.env.UBUNTU_MIRROR;
  if (!mirror) throw new Error("it comes from Ubuntu's archive: set UBUNTU_MIRROR to the address of a mirror of it");
  const keys = join(apt, "keys");
  await unpackDebianPackage({ name: "ubuntu-keyring", archive: "Debian", suite: "stable" }, keys);
  const keyring = join(keys, "usr/share/keyrings/ubuntu-archive-keyring.gpg");
  return [suite, `${suite}-updates`]
    .map((each) => `deb [signed-by=${keyring}] ${mirror} ${each} main universe\n`)
    .join("");
}

/** The archive of Debian that this machine's apt is configured to use; security updates come from another, which has no other suites. */
async function debianMirror(): Promise<string> {
  const { stdout } = await run("apt-get", ["indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"]);
  const mirror = stdout.split("\n").find((uri) => /\/debian\/$/.test(uri));
  if (mirror === undefined) throw new Error("apt knows no mirror of Debian's archive");
  return mirror;
}
