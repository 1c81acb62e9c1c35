import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { startMariadb, startMysql } from "./index.ts";

const run = promisify(execFile);

let temporary: string;
beforeEach(async () => {
  temporary = await mkdtemp(join(tmpdir(), "engines-test-"));
  await chmod(temporary, 0o1777);
  vi.stubEnv("TMPDIR", temporary);
  for (const product of ["MYSQL", "MARIADB"])
    for (const what of ["URL", "VERSION"]) vi.stubEnv(`${product}_${what}`, "");
  vi.stubEnv("UBUNTU_MIRROR", "");
});
afterEach(async () => {
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
  await rm(temporary, { recursive: true });
});

/** Has `apt-get` answer otherwise where this shell text does not fall through. */
async function replaceAptGet(script: string): Promise<void> {
  const { stdout } = await run("which", ["apt-get"]);
  const programs = join(temporary, "programs");
  await mkdir(programs);
  await writeFile(join(programs, "apt-get"), `#!/bin/sh\n${script}\nexec ${stdout.trim()} "$@"\n`, { mode: 0o755 });
  vi.stubEnv("PATH", `${programs}:${process.env.PATH}`);
}

async function leftovers(): Promise<string[]> {
  const [cache = ""] = (await readdir(temporary)).filter((name) => name.startsWith("quarterturn-engines-"));
  return readdir(join(temporary, cache));
}

test("a user who is not root fetches, installs and starts a server as that user", async () => {
  const script = `
    import { startMariadb } from ${JSON.stringify(join(import.meta.dirname, "index.ts"))};
    if (process.getuid() === 0) {
      process.setgroups([]);
      process.setgid(1);
      process.setuid(1);
    }
    await using server = await startMariadb();
    const connection = await server.connect();
    const [rows] = await connection.query("SELECT 1 AS one");
    console.log(JSON.stringify({ rows, user: process.getuid() }));
  `;
  const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", script], {
    env: { PATH: process.env.PATH, TMPDIR: temporary },
  });
  const { rows, user } = JSON.parse(stdout);
  expect(rows).toEqual([{ one: 1 }]);
  expect(user).not.toBe(0);
  expect((await readdir(temporary)).filter((entry) => entry.startsWith("quarterturn-mariadb-"))).toEqual([]);
  expect(await leftovers()).toEqual([expect.stringMatching(/^mariadb-10\.11-\w+$/)]);
});

test("an archive without a good signature is refused, and nothing is installed from it", async () => {
  const mirror = join(temporary, "debian/");
  await mkdir(join(mirror, "dists/unstable"), { recursive: true });
  await writeFile(join(mirror, "dists/unstable/InRelease"), "Origin: Debian\nSuite: unstable\n");
  await replaceAptGet(`[ "$1" = indextargets ] && { echo file://${mirror}; exit; }`);
  await expect(startMysql()).rejects.toThrow(/MySQL cannot be started: .*InRelease.*Set MYSQL_URL to a server's URL/s);
  expect(await leftovers()).toEqual([]);
});

test("packages that cannot be fetched are an error with apt's reason and the way out", async () => {
  await replaceAptGet('for word; do [ "$word" = update ] && { echo "E: no route" >&2; exit 100; }; done');
  await expect(startMariadb()).rejects.toThrow(
    /MariaDB cannot be started: .*E: no route.*Set MARIADB_URL to a server's URL, or do without it \(ENGINES=postgres npm test; npm run demo takes PostgreSQL\)\./s,
  );
  expect(await leftovers()).toEqual([]);
});

test("a machine that is not a Debian on x64 is an error that says so", async () => {
  vi.stubGlobal("process", Object.create(process, { arch: { value: "arm64" } }));
  await expect(startMysql()).rejects.toThrow(
    "MySQL cannot be started: it comes from Debian's package mysql-server-core, which takes a Debian on x64. Set MYSQL_URL to a server's URL",
  );
});

test("a release that is not known is an error that names those that are", async () => {
  vi.stubEnv("MYSQL_VERSION", "8.9");
  await expect(startMysql()).rejects.toThrow("MYSQL_VERSION asks for MySQL 8.9. There are: newest, 8.4, 8.0, 5.7.");
});

test("a release of Ubuntu's archive without a mirror of it is an error that asks for one", async () => {
  vi.stubEnv("MYSQL_VERSION", "8.4");
  await expect(startMysql()).rejects.toThrow(
    "MySQL cannot be started: it comes from Ubuntu's archive: set UBUNTU_MIRROR",
  );
  expect(await leftovers()).toEqual([]);
});
