import { literal } from "./sql.ts";

/** What logins of an account must bring, how many it may use, and what is asked of its passwords. */
export interface AccountTerms {
  /** How its password is kept and proved. */
  readonly plugin: string;
  /** The rest: the end of a CREATE or ALTER USER statement. */
  readonly terms: string;
}

/** The columns of mysql.user that tell them, from MySQL 8.0.21 on. */
export const termsColumns = `plugin, ssl_type AS sslType, CONVERT(ssl_cipher USING utf8mb4) AS cipher,
  CONVERT(x509_issuer USING utf8mb4) AS issuer, CONVERT(x509_subject USING utf8mb4) AS subject,
  max_questions, max_updates, max_connections, max_user_connections,
  password_lifetime AS lifetime, Password_reuse_history AS history, Password_reuse_time AS reuseTime,
  Password_require_current AS requireCurrent,
  JSON_EXTRACT(User_attributes, '$.Password_locking.failed_login_attempts') AS failedLogins,
  JSON_EXTRACT(User_attributes, '$.Password_locking.password_lock_time_days') AS lockDays`;

/** @see https://dev.mysql.com/doc/refman/9.7/en/create-user.html */
export function termsOf(row: Readonly<Record<string, unknown>>): AccountTerms {
  const demands = [
    ["CIPHER", row.cipher],
    ["ISSUER", row.issuer],
    ["SUBJECT", row.subject],
  ].flatMap(([word, value]) => (value ? [`${word} ${literal(String(value))}`] : []));
  const require = { "": "NONE", ANY: "SSL", X509: "X509", SPECIFIED: demands.join(" AND ") }[String(row.sslType)];
  // No word of MySQL's is none that could be left out of a twin.
  if (require === undefined) throw new Error(`mysql.user has an ssl_type that is not known: ${row.sslType}`);
  const orDefault = (value: unknown, words: string) => (value === null ? "DEFAULT" : words);
  const { lifetime, history, reuseTime, requireCurrent, failedLogins, lockDays } = row;
  return {
    plugin: String(row.plugin),
    terms: [
      `REQUIRE ${require}`,
      `WITH MAX_QUERIES_PER_HOUR ${row.max_questions} MAX_UPDATES_PER_HOUR ${row.max_updates}`,
      `MAX_CONNECTIONS_PER_HOUR ${row.max_connections} MAX_USER_CONNECTIONS ${row.max_user_connections}`,
      `PASSWORD EXPIRE ${orDefault(lifetime, lifetime === 0 ? "NEVER" : `INTERVAL ${lifetime} DAY`)}`,
      `PASSWORD HISTORY ${orDefault(history, String(history))}`,
      `PASSWORD REUSE INTERVAL ${orDefault(reuseTime, `${reuseTime} DAY`)}`,
      `PASSWORD REQUIRE CURRENT ${requireCurrent === "Y" ? "" : orDefault(requireCurrent, "OPTIONAL")}`.trim(),
      `FAILED_LOGIN_ATTEMPTS ${failedLogins ?? 0} PASSWORD_LOCK_TIME ${lockDays === -1 ? "UNBOUNDED" : (lockDays ?? 0)}`,
    ].join(" "),
  };
}
