import type { Manifest } from "@quarterturn/core";
import { rdsPermissions } from "@quarterturn/database";

export const manifest: Manifest = {
  name: "documentdb",
  title: "DocumentDB",
  engines: ["mongo"],
  port: 27017,
  excludeCharacters: "/@\"'\\",
  secretKeys: [
    {
      name: "authSource",
      orElse: "dbname",
      absent: "`dbname`, else `admin`",
      meaning: "The user's authentication database.",
    },
  ],
  settings: [],
  permissions: rdsPermissions,
  verifiedAgainst: [
    "FerretDB 1.24.2 over verified TLS: both strategies, SCRAM-SHA-1 and SCRAM-SHA-256, and logins by MongoDB's own driver 7.9",
    "Imitated before it, by tools/engines: roles, customData and rights (code 13); an older protocol with SCRAM-SHA-1 alone; a server that refuses customData and mechanisms; one that keeps all users in admin; a secondary",
    "Not run here: DocumentDB and MongoDB themselves (whether DocumentDB's users may change their own password by default, and have customData; where it keeps the user of a secret with another authSource than admin, and what its connectionStatus says of that), a failover, elastic clusters, user names with a comma or an equals sign (FerretDB cannot log them in), and the RDS API, which the tests imitate. With MONGODB_URL the conformance suite runs against a server that you have",
  ],
};
