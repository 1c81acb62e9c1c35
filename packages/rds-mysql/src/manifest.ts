import type { Manifest } from "@quarterturn/core";
import { rdsPermissions } from "@quarterturn/database";

export const manifest: Manifest = {
  name: "rds-mysql",
  title: "MySQL",
  engines: ["mysql", "aurora-mysql", "mariadb"],
  port: 3306,
  excludeCharacters: "/@\"'\\",
  usernameLimit: 32,
  settings: [
    {
      name: "OLD_PASSWORD",
      absent: "keep",
      values: ["keep", "discard"],
      strategy: "single-user",
      meaning:
        "Single-user: keep leaves the previous password valid beside the new one until the next rotation; discard ends it as soon as AWSCURRENT has moved, so that new logins with it are refused; open sessions stay.",
    },
  ],
  permissions: rdsPermissions,
  verifiedAgainst: [
    "MySQL 9.7 (Debian's) in every run of the tests, 8.4.13 and 8.0.46 (Ubuntu's) by hand in November 2026, over verified TLS: both strategies, the conformance suite with its crash matrix, hostile schemas and servers, bad input, frozen servers",
    "MySQL 5.7.42 (Ubuntu's) by hand, single-user: the conformance suite's promises 1 and 2 with its crash matrix",
    "MariaDB 10.11 in every run, 10.6.23 and 11.8.6 by hand, single-user with mysql_native_password: the conformance suite with its crash matrix, bad input",
    "By their version strings only, which choose what is sent: MySQL 5.6, Aurora MySQL 2 and 3, other MariaDBs",
    "Not run here: RDS and Aurora themselves (rds_superuser_role, RDS Proxy), the RDS API, which the tests imitate, and MariaDB's ed25519, which is refused",
  ],
};
