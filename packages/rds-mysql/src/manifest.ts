import type { Manifest } from "@quarterturn/core";

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
      meaning:
        "Single-user: keep leaves the previous password valid beside the new one until the next rotation; discard ends it as soon as AWSCURRENT has moved, so that new logins with it are refused; open sessions stay.",
    },
  ],
  verifiedAgainst: [
    "MySQL 9.7 (Debian's), over verified TLS; MariaDB 10.11, single-user",
    "Not run here: MySQL 5.7, 8.0 and 8.4, RDS and Aurora themselves (rds_superuser_role, RDS Proxy), and the RDS API, which the tests imitate",
  ],
};
