import { appendFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loginOf, postgresLoginLog } from "./postgres-login-log.ts";

const accepted =
  "1795254000.123 LOG:  connection authorized: user=checkout database=shop application_name=checkout SSL enabled (protocol=TLSv1.3)";
const refused = '1795254000.456 FATAL:  password authentication failed for user "checkout"';

test.each([
  [
    "an accepted login, with the client's name",
    accepted,
    [{ time: 1795254000123, outcome: "accepted", by: "application" }],
  ],
  ["a refused login", refused, [{ time: 1795254000456, outcome: "refused" }]],
  ["no login in an accepted one of a client without a name", accepted.replace(" application_name=checkout", ""), []],
  ["no login in another message", "1795254000.789 LOG:  database system is ready to accept connections", []],
  ["no login in the detail of a message", '1795254000.456 DETAIL:  Role "checkout" does not exist.', []],
  ["no login in an error of a statement", "1795254000.456 ERROR:  permission denied for table orders", []],
])("a line of the server's log: %s", (_name, line, logins) => {
  expect(loginOf(line)).toEqual(logins);
});

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "login-log-"));
});
afterEach(() => rm(folder, { recursive: true }));

test("a login is counted once, also when the log was read in the middle of its line", async () => {
  const file = join(folder, "log");
  await writeFile(file, `${accepted}\n${refused.slice(0, 30)}`);
  const log = postgresLoginLog(file);
  await log.update();
  expect(log.logins.map(({ outcome }) => outcome)).toEqual(["accepted"]);
  await appendFile(file, `${refused.slice(30)}\n${accepted}\n`);
  await log.update();
  await log.update();
  expect(log.logins.map(({ outcome }) => outcome)).toEqual(["accepted", "refused", "accepted"]);
});
