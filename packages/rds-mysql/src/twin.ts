import { randomBytes } from "node:crypto";
import { RotationError } from "@quarterturn/core";
import type { EngineContext, Pair } from "@quarterturn/database";
import { type AccountPair, type AccountRow, readAccounts } from "./accounts.ts";
import type { Run } from "./connection.ts";
import { errorNumber } from "./errors.ts";
import { reconcile, rightsOf } from "./grants.ts";
import { usedBefore } from "./password-change.ts";
import type { Server } from "./server.ts";
import { type Account, accountName, literal } from "./sql.ts";

/** Whether AWSPREVIOUS of the secret logs in as the pending user: who has its password may have it changed. */
export type IsOurs = () => Promise<boolean>;

type WholePair = AccountPair & { readonly twin: AccountRow };

/**
 * Makes the twin whole at every host that the original has an account for: created locked, with a random password and the mark, in one
 * statement; then with the original's terms and rights.
 */
export async function alignTwin(
  run: Run,
  server: Server,
  pair: Omit<Pair, "pending">,
  isOurs: IsOurs,
  address: string,
  { log }: EngineContext,
): Promise<void> {
  const accounts = await requireOriginal(run, server, pair, address);
  for (const { original, twin } of accounts) {
    if (twin) {
      await requireMark({ original, twin }, run, isOurs, address);
    } else {
      const account = { user: pair.twin, host: original.host };
      await run(
        `CREATE USER IF NOT EXISTS ${accountName(account)} IDENTIFIED BY ${literal(`Aa1!${randomBytes(24).toString("base64url")}`)} ${original.terms} ACCOUNT LOCK ATTRIBUTE ${mark(pair.original)}`,
        `creating the user ${accountName(account)}`,
        "Run as a user who may: GRANT CREATE USER ON *.* to the admin of this rotation.",
      );
    }
  }
  for (const { original, twin } of await readAccounts(run, pair)) {
    if (!twin)
      throw new RotationError(
        "wrong-target",
        `${address}: ${accountName({ user: pair.twin, host: original.host })} was dropped while it was prepared`,
        "The service tries the rotation again.",
      );
    if (twin.terms !== original.terms) {
      await run(
        `ALTER USER ${accountName(twin)} ${original.terms}`,
        `giving ${accountName(twin)} the original's terms`,
      );
    }
    const byRole = await actThrough(run, { original, twin });
    if (!byRole) log.info("The twin gets copies of the original's rights: it cannot have exactly them by a role");
    await alignRights(run, { original, twin }, byRole);
  }
}

/** Sets the pending user's password, and unlocks a twin: it is whole. One statement for all hosts, so that it is done or not. */
export async function setPassword(
  run: Run,
  server: Server,
  pair: Pair,
  password: string,
  { isOurs, isAccepted }: { isOurs: IsOurs; isAccepted: (password: string, username: string) => Promise<boolean> },
  address: string,
  { log }: EngineContext,
): Promise<void> {
  const whole: WholePair[] = [];
  for (const { original, twin } of await requireOriginal(run, server, pair, address)) {
    if (twin) whole.push({ original, twin });
    else log.warn("An account has no twin at its host yet, so its password stays", { account: accountName(original) });
  }
  if (whole.length === 0) {
    throw new RotationError(
      "wrong-target",
      `${address} has no user "${pair.twin}" that is the twin of "${pair.original}"`,
      "This try changed nothing. Put the original's user and password into the secret, and rotate again.",
    );
  }
  for (const each of whole) await requireMark(each, run, isOurs, address);
  const accounts = whole.map((each) => `${accountName(each[pair.pending])} IDENTIFIED BY ${literal(password)}`);
  try {
    await run(
      `ALTER USER ${accounts.join(", ")}${pair.pending === "twin" ? " ACCOUNT UNLOCK" : ""}`,
      `setting the password of "${pair[pair.pending]}"`,
      "Run as a user who may: GRANT CREATE USER ON *.* to the admin of this rotation.",
    );
  } catch (error) {
    // An earlier try may have set it, which a password history then holds.
    if (errorNumber(error) !== usedBefore || !(await isAccepted(password, pair[pair.pending]))) throw error;
  }
}

async function requireOriginal(
  run: Run,
  { hasAttributes }: Server,
  pair: Omit<Pair, "pending">,
  address: string,
): Promise<readonly AccountPair[]> {
  if (!hasAttributes) {
    throw new RotationError(
      "unsupported",
      `${address}: the multi-user strategy needs MySQL 8.0.21 or later`,
      "This try changed nothing. Use the single-user strategy for this server.",
    );
  }
  const accounts = await readAccounts(run, pair);
  if (accounts.length > 0) return accounts;
  throw new RotationError(
    "wrong-target",
    `${address} has no user "${pair.original}", whose twin "${pair.twin}" would be`,
    "This try changed nothing. Create it, or use the single-user strategy for this user.",
  );
}

const mark = (original: string) => literal(JSON.stringify({ quarterturn: { twinOf: original } }));

/**
 * An account that merely has the twin's name is somebody else's, and must be neither changed nor believed. Only who has CREATE USER can set
 * the mark. A twin of AWS's functions has none: then the secret itself proves that the other account is its own.
 */
async function requireMark({ original, twin }: WholePair, run: Run, isOurs: IsOurs, address: string): Promise<void> {
  if (twin.twinOf === original.user) return;
  const statement = `ALTER USER ${accountName(twin)} ATTRIBUTE ${mark(original.user)}`;
  if (await isOurs()) {
    await run(statement, `marking ${accountName(twin)} as the twin`);
    return;
  }
  throw new RotationError(
    "wrong-target",
    `${address} has a user ${accountName(twin)} that is not known to be the twin of ${accountName(original)}, and AWSPREVIOUS does not log in as the pending user`,
    `This try changed nothing. If the two are this secret's users, run as an admin: ${statement}; otherwise rename one of the two.`,
  );
}

/**
 * Makes the original the twin's default role, where that gives exactly the original's rights: a role brings all of its own roles with it,
 * also those that the original's sessions do not start with.
 *
 * @returns false where it does not, or where the admin may not grant it as a role
 */
async function actThrough(run: Run, { original, twin }: WholePair): Promise<boolean> {
  const [settings] = await run(
    "SELECT @@activate_all_roles_on_login AS activatesAll",
    "reading how roles are activated",
  );
  const role = `${original.user}@${original.host}`;
  const isExact =
    Boolean(settings?.activatesAll) || original.roles.every((each) => original.defaultRoles.includes(each));
  if (!isExact) return false;
  if (!twin.roles.includes(role)) {
    try {
      await run(
        `GRANT ${accountName(original)} TO ${accountName(twin)}`,
        `making ${accountName(original)} a role of its twin`,
      );
    } catch (error) {
      if (errorNumber(error) !== 1227) throw error;
      return false;
    }
  }
  if (twin.defaultRoles.length !== 1 || twin.defaultRoles[0] !== role) {
    await run(
      `ALTER USER ${accountName(twin)} DEFAULT ROLE ${accountName(original)}`,
      `setting the default role of ${accountName(twin)}`,
    );
  }
  return true;
}

async function alignRights(run: Run, { original, twin }: WholePair, byRole: boolean): Promise<void> {
  const existing = (await showGrants(run, twin)).filter(
    (right) => !byRole || right.is !== "role" || right.name !== accountName(original),
  );
  // The original may have thousands: they are read only where they matter.
  if (byRole && existing.length === 0) return;
  const wanted = await showGrants(run, original);
  const remedy = `Run as a user who may: GRANT the right WITH GRANT OPTION (or ROLE_ADMIN) to the admin of this rotation.`;
  for (const statement of reconcile(wanted, existing, twin, !byRole)) {
    await run(statement, `giving ${accountName(twin)} the original's rights (${statement})`, remedy);
  }
  if (byRole) return;
  const roles = (names: readonly string[]) => [...names].sort().join();
  if (roles(twin.defaultRoles) !== roles(original.defaultRoles)) {
    const names = original.defaultRoles.map(roleName);
    await run(
      `ALTER USER ${accountName(twin)} DEFAULT ROLE ${names.length === 0 ? "NONE" : names.join(", ")}`,
      `setting the default roles of ${accountName(twin)}`,
    );
  }
}

function roleName(role: string): string {
  const at = role.lastIndexOf("@");
  return accountName({ user: role.slice(0, at), host: role.slice(at + 1) });
}

async function showGrants(run: Run, account: Account) {
  const rows = await run(`SHOW GRANTS FOR ${accountName(account)}`, `reading the rights of ${accountName(account)}`);
  return rightsOf(
    rows.map((row) => String(Object.values(row)[0])),
    account,
  );
}
