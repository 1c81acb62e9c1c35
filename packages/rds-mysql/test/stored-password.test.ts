import { startMysql } from "@quarterturn-tools/engines";
import type { RowDataPacket } from "mysql2/promise";
import { expect, test } from "vitest";
import { isStoredForm, nativeHash } from "../src/stored-password.ts";

const passwords = [
  "a",
  "pass-word",
  "pässwörd ☃ längér",
  "x".repeat(31),
  "y".repeat(32),
  "z".repeat(33),
  "w".repeat(200),
];

test.each(["caching_sha2_password", "sha256_password"])(
  "a server's %s is recognised, of every length, and no other",
  async (plugin) => {
    await using server = await startMysql();
    const root = await server.connect();
    for (const password of passwords) {
      await root.query(`CREATE USER someone IDENTIFIED WITH ${plugin} BY ?`, [password]);
      const [rows] = await root.query<RowDataPacket[]>(
        "SELECT authentication_string AS form FROM mysql.user WHERE User = 'someone'",
      );
      await root.query("DROP USER someone");
      const stored = String(rows[0]?.form);
      expect(isStoredForm(stored, password), `${password.length} characters`).toBe(true);
      expect(isStoredForm(stored, `${password}.`)).toBe(false);
    }
  },
);

test("mysql_native_password's form, and what is of no known form", () => {
  // What PASSWORD('password') gives, see MariaDB's documentation.
  expect(nativeHash("password")).toBe("*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19");
  expect(isStoredForm(nativeHash("pass-word"), "pass-word")).toBe(true);
  expect(isStoredForm(nativeHash("pass-word"), "pass-wor")).toBe(false);
  for (const stored of ["", "*", "$A$005$", "invalid"]) expect(isStoredForm(stored, "")).toBe(false);
});
