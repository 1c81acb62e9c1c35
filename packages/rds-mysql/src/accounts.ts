import type { Pair } from "@quarterturn/database";
import type { Run } from "./connection.ts";
import { type Account, literal } from "./sql.ts";

/** An account, as far as a twin must be like it. */
export interface AccountRow extends Account {
  /** Whose twin this account was made, or taken on, as. */
  readonly twinOf: string | undefined;
  /** What its logins must bring and how many it may use: the end of a CREATE or ALTER USER statement. */
  readonly terms: string;
  /** The roles that it has been granted, and those that its sessions start with, as `user`@`host`. */
  readonly roles: readonly string[];
  readonly defaultRoles: readonly string[];
}

/** An account of the original and the twin that comes from the same hosts. */
export interface AccountPair {
  readonly original: AccountRow;
  readonly twin: AccountRow | undefined;
}

/** The accounts of a pair of users: a name has one for each host pattern. */
export async function readAccounts(
  run: Run,
  { original, twin }: Omit<Pair, "pending">,
): Promise<readonly AccountPair[]> {
  const doing = "reading the two users";
  const remedy = "Run as an admin who may: GRANT SELECT ON mysql.* to the admin of this rotation.";
  const names = `(${literal(original)}, ${literal(twin)})`;
  const rows = await run(
    `SELECT User AS user, Host AS host, JSON_UNQUOTE(JSON_EXTRACT(User_attributes, '$.metadata.quarterturn.twinOf')) AS twinOf,
      ssl_type AS ssl_type, CONVERT(ssl_cipher USING utf8mb4) AS cipher, CONVERT(x509_issuer USING utf8mb4) AS issuer,
      CONVERT(x509_subject USING utf8mb4) AS subject, max_questions, max_updates, max_connections, max_user_connections
    FROM mysql.user WHERE User IN ${names}`,
    doing,
    remedy,
  );
  const roles = await run(
    `SELECT TO_USER AS user, TO_HOST AS host, FROM_USER AS role, FROM_HOST AS roleHost, false AS isDefault FROM mysql.role_edges WHERE TO_USER IN ${names}
    UNION ALL
    SELECT USER, HOST, DEFAULT_ROLE_USER, DEFAULT_ROLE_HOST, true FROM mysql.default_roles WHERE USER IN ${names}`,
    doing,
    remedy,
  );
  const accounts = rows.map((row): AccountRow => {
    const own = roles.filter(({ user, host }) => user === row.user && host === row.host);
    const named = (isDefault: boolean) =>
      own.filter((each) => Boolean(each.isDefault) === isDefault).map(({ role, roleHost }) => `${role}@${roleHost}`);
    return {
      user: row.user,
      host: row.host,
      twinOf: row.twinOf ?? undefined,
      terms: termsOf(row),
      roles: named(false),
      defaultRoles: named(true),
    };
  });
  // The server compares names without regard to blanks at their end.
  return accounts
    .filter(({ user }) => user === original)
    .map((account) => ({
      original: account,
      twin: accounts.find(({ user, host }) => user === twin && host === account.host),
    }));
}

function termsOf(row: Record<string, unknown>): string {
  const demands = [
    ["CIPHER", row.cipher],
    ["ISSUER", row.issuer],
    ["SUBJECT", row.subject],
  ].flatMap(([word, value]) => (value ? [`${word} ${literal(String(value))}`] : []));
  const require =
    { "": "NONE", ANY: "SSL", X509: "X509", SPECIFIED: demands.join(" AND ") }[String(row.ssl_type)] ?? "X509";
  return (
    `REQUIRE ${require} WITH MAX_QUERIES_PER_HOUR ${row.max_questions} MAX_UPDATES_PER_HOUR ${row.max_updates}` +
    ` MAX_CONNECTIONS_PER_HOUR ${row.max_connections} MAX_USER_CONNECTIONS ${row.max_user_connections}`
  );
}
