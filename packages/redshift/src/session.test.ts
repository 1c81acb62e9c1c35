import type { Login } from "@quarterturn/database";
import { expect, test } from "vitest";
import { openSession } from "./session.ts";
import type { Connection, Statement } from "./transport.ts";

const login: Login = { host: "h", port: 1, username: "App", password: "p", userKeys: {}, tls: false };

// Names are changed as they are written, and a server may have read the login's in small letters.
test("a session that is another user's changes nobody's password", async () => {
  const sent: Statement[] = [];
  const run: Connection["run"] = async (statements) => {
    sent.push(...statements);
    return [];
  };
  const sessionOf = (user: string) => openSession({ user, run, close: async () => undefined }, login, {} as never);
  await expect(sessionOf("app").changePassword("next")).rejects.toMatchObject({ code: "wrong-target" });
  expect(sent).toEqual([]);
  expect(await sessionOf("App").changePassword("next")).toBe("refused");
  expect(sent.at(-1)?.sql).toMatch(/^ALTER USER "App" PASSWORD 'md5/);
});
