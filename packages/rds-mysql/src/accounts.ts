import type { Pair } from "@quarterturn/database";
import { type AccountTerms, termsColumns, termsOf } from "./account-terms.ts";
import type { Run } from "./connection.ts";
import { type Account, literal } from "./sql.ts";

/** An account, as far as a twin must be like it. */
export interface AccountRow extends Account, AccountTerms {
  /** Whose twin this account was made, or taken on, as. */
  readonly twinOf: string | undefined;
  /** What people and tools have noted about the account: its ATTRIBUTE and COMMENT, without the mark of a twin. */
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly isLocked: boolean;
  /** Its password as the server stores it, and where it has two (RETAIN CURRENT PASSWORD) the older one. */
  readonly storedPassword: string;
  readonly storedOldPassword: string | undefined;
  /** The roles that it has been granted, those that it may grant, and those that its sessions start with, as `user`@`host`. */
  readonly roles: readonly string[];
  readonly grantableRoles: readonly string[];
  readonly defaultRoles: readonly string[];
  /** Whether it may log in as another user: a right that no role passes on. */
  readonly isProxy: boolean;
}

/** An account of the original and the twin that comes from the same hosts. */
export interface AccountPair {
  readonly original: AccountRow;
  readonly twin: AccountRow | undefined;
}

export interface Accounts {
  readonly pairs: readonly AccountPair[];
  /** Accounts that have the twin's name, at hosts that the original has no account for. */
  readonly strays: readonly AccountRow[];
}

/** The accounts of a pair of users: a name has one for each host pattern. */
export async function readAccounts(run: Run, { original, twin }: Omit<Pair, "pending">): Promise<Accounts> {
  const doing = "reading the two users";
  const remedy = "Run as an admin who may: GRANT SELECT ON mysql.* to the admin of this rotation.";
  const names = `(${literal(original)}, ${literal(twin)})`;
  const rows = await run(
    `SELECT User AS user, Host AS host, account_locked AS locked,
      JSON_EXTRACT(User_attributes, '$.metadata') AS attributes,
      authentication_string AS password, JSON_UNQUOTE(JSON_EXTRACT(User_attributes, '$.additional_password')) AS oldPassword,
      ${termsColumns}
    FROM mysql.user WHERE User IN ${names}`,
    doing,
    remedy,
  );
  const edges = await run(
    `SELECT TO_USER AS user, TO_HOST AS host, FROM_USER AS role, FROM_HOST AS roleHost, IF(WITH_ADMIN_OPTION = 'Y', 'grantable', 'granted') AS kind FROM mysql.role_edges WHERE TO_USER IN ${names}
    UNION ALL SELECT USER, HOST, DEFAULT_ROLE_USER, DEFAULT_ROLE_HOST, 'default' FROM mysql.default_roles WHERE USER IN ${names}
    UNION ALL SELECT User, Host, Proxied_user, Proxied_host, 'proxy' FROM mysql.proxies_priv WHERE User IN ${names}`,
    doing,
    remedy,
  );
  const accounts = rows.map((row): AccountRow => {
    const named = (kind: string) =>
      edges
        .filter((edge) => edge.user === row.user && edge.host === row.host && edge.kind === kind)
        .map(({ role, roleHost }) => `${role}@${roleHost}`);
    const { quarterturn, ...attributes } = row.attributes ?? {};
    return {
      user: row.user,
      host: row.host,
      twinOf: quarterturn?.twinOf,
      attributes,
      isLocked: row.locked === "Y",
      storedPassword: String(row.password),
      storedOldPassword: row.oldPassword ?? undefined,
      roles: [...named("granted"), ...named("grantable")],
      grantableRoles: named("grantable"),
      defaultRoles: named("default"),
      isProxy: named("proxy").length > 0,
      ...termsOf(row),
    };
  });
  // The server compares names without regard to blanks at their end.
  const [originals, twins] = [original, twin].map((name) => accounts.filter(({ user }) => user === name));
  return {
    pairs: (originals ?? []).map((account) => ({
      original: account,
      twin: twins?.find(({ host }) => host === account.host),
    })),
    strays: (twins ?? []).filter(({ host }) => !originals?.some((account) => account.host === host)),
  };
}
