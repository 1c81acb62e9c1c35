import { deadlineOf, jsonLog } from "@quarterturn/core";
import { expect, test } from "vitest";
import { statementError } from "./errors.ts";
import { changePassword } from "./password-change.ts";

/** What a MariaDB is sent that answers a password's hash by this error. */
async function sentTo(errno: number, sqlMessage: string): Promise<readonly string[]> {
  const sent: string[] = [];
  const run = async (sql: string, doing: string) => {
    sent.push(sql);
    const refusal = Object.assign(new Error(sqlMessage), { errno, sqlState: "HY000", sqlMessage });
    if (sql.startsWith("SET PASSWORD = '*")) throw statementError(refusal, "h:1", doing, undefined);
    return [{ create: "CREATE USER `app`@`%` IDENTIFIED BY PASSWORD '*0'" }] as never;
  };
  const server = {
    account: { user: "app", host: "%" },
    isMariadb: true,
    hasDualPasswords: false,
    hasAttributes: false,
  };
  const context = { deadline: deadlineOf(() => 1_000), log: jsonLog(() => undefined, "DEBUG", {}, String) };
  const login = { password: "current" };
  await changePassword(run, server, login as never, "it's", async () => false, context as never).catch(() =>
    sent.push("failed"),
  );
  return sent;
}

// The servers that the tests start have no plugin that judges passwords.
test("MariaDB: the password itself is sent only where the server says that its plugins must see it", async () => {
  const [show, hash, ...more] = await sentTo(1290, "running with the --strict-password-validation option");
  expect(show).toMatch(/^SHOW CREATE USER/);
  expect(hash).toMatch(/^SET PASSWORD = '\*[0-9A-F]{40}'$/);
  expect(more).toEqual(["SET PASSWORD = PASSWORD('it''s')"]);
  expect(await sentTo(1819, "Your password does not satisfy the current policy requirements")).toEqual([
    show,
    hash,
    "failed",
  ]);
});
