import { deadlineOf } from "@quarterturn/core";
import { expect, test } from "vitest";
import { prepareSession, productOf } from "./server.ts";

// Up to MariaDB 11, and MySQL, answer by a number.
test.each([
  [0, true],
  ["OFF", true],
  [1, false],
  ["ON", false],
  ["NO_LOCK_NO_ADMIN", false],
])("a server that says of read_only %j: its sessions may change something: %s", async (isReadOnly, expected) => {
  const row = { account: "app@%", version: "12.3.1-MariaDB", isReadOnly };
  const prepared = prepareSession(async () => [row] as never, "h:1", { deadline: deadlineOf(() => 1_000) });
  await (expected
    ? expect(prepared).resolves.toMatchObject({ isMariadb: true })
    : expect(prepared).rejects.toMatchObject({ code: "unsupported" }));
});

// What VERSION() says, of servers that the tests cannot run, too.
test.each([
  ["9.7.4", "two passwords, twins"],
  ["9.0.1-commercial", "two passwords, twins"],
  ["8.4.3", "two passwords, twins"],
  ["8.0.36-log", "two passwords, twins"],
  ["8.0.36-28.1", "two passwords, twins"],
  ["8.0.21", "two passwords, twins"],
  ["8.0.20", "two passwords"],
  ["8.0.14", "two passwords"],
  ["8.0.13", "one password"],
  ["8.0.11-debug", "one password"],
  // RDS.
  ["8.0.40", "two passwords, twins"],
  ["5.7.44-rds.20240408", "one password"],
  ["5.7.44-log", "one password"],
  ["5.6.51", "one password"],
  // Aurora: version 3 is compatible with MySQL 8.0.23 and later, version 2 with 5.7.
  ["8.0.28", "two passwords, twins"],
  ["8.0.mysql_aurora.3.04.1", "two passwords, twins"],
  ["8.0.39.mysql_aurora.3.10.0", "two passwords, twins"],
  ["5.7.12", "one password"],
  ["5.7.mysql_aurora.2.11.2", "one password"],
  ["10.11.18-MariaDB-0+deb12u1-log", "MariaDB"],
  ["11.4.3-MariaDB-log", "MariaDB"],
  ["5.5.5-10.6.20-MariaDB", "MariaDB"],
])("%s: %s", (version, expected) => {
  const { isMariadb, hasDualPasswords, hasAttributes } = productOf(version);
  const words = isMariadb
    ? ["MariaDB"]
    : [hasDualPasswords ? "two passwords" : "one password", ...(hasAttributes ? ["twins"] : [])];
  expect(words.join(", ")).toBe(expected);
  if (isMariadb) expect([hasDualPasswords, hasAttributes]).toEqual([false, false]);
});
