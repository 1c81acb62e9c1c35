import { expect, test } from "vitest";
import { productOf } from "./server.ts";

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
