import type { Manifest } from "@quarterturn/core";
import { rdsPermissions } from "@quarterturn/database";

export const manifest: Manifest = {
  name: "rds-postgres",
  title: "PostgreSQL",
  engines: ["postgres", "aurora-postgresql"],
  port: 5432,
  dbname: "postgres",
  excludeCharacters: ":/@\"'\\",
  usernameLimit: 63,
  settings: [
    {
      name: "PASSWORD_VERIFIER",
      absent: "true",
      values: ["true", "false"],
      meaning:
        "Send the server a verifier that is computed here instead of the password, so that no log, statement view or audit extension of the server ever holds it. false where an extension of the server must see the password to judge it.",
    },
  ],
  permissions: rdsPermissions,
  verifiedAgainst: [
    "PostgreSQL 14, 15, 16, 17 and 18, over verified TLS: the two strategies; 17.0 and 17.1: the twin",
    "PostgreSQL 18: the conformance suite with its crash matrix, hostile databases, verifiers, bad input, frozen servers",
    "Not run here: RDS and Aurora themselves (rds_superuser, rds_password, RDS Proxy), and the RDS API, which the tests imitate",
  ],
};
