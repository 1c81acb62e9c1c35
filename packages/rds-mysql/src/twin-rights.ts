import type { Log } from "@quarterturn/core";
import type { AccountRow } from "./accounts.ts";
import type { Run } from "./connection.ts";
import { errorNumber } from "./errors.ts";
import { reconcile, rightsOf } from "./grants.ts";
import { type Account, accountName } from "./sql.ts";

/** Gives the twin the original's rights, exactly: by making the original its role, or where that gives more or less, as copies. */
export async function giveRights(run: Run, original: AccountRow, twin: AccountRow, log: Log): Promise<void> {
  const byRole = await actThrough(run, original, twin);
  if (!byRole) log.info("The twin gets copies of the original's rights: it cannot have exactly them by a role");
  await alignRights(run, original, twin, byRole, log);
}

/**
 * Makes the original the twin's default role, where that gives exactly the original's rights: a role brings all of its own roles with it,
 * also those that the original's sessions do not start with, and it brings no right to log in as another user.
 *
 * @returns false where it does not, or where the admin may not grant it as a role
 */
async function actThrough(run: Run, original: AccountRow, twin: AccountRow): Promise<boolean> {
  const [settings] = await run(
    "SELECT @@activate_all_roles_on_login AS activatesAll",
    "reading how roles are activated",
  );
  const role = `${original.user}@${original.host}`;
  const isExact =
    !original.isProxy &&
    (Boolean(settings?.activatesAll) || original.roles.every((each) => original.defaultRoles.includes(each)));
  if (!isExact) return false;
  // To grant it again takes the right away to grant it to others.
  if (!twin.roles.includes(role) || twin.grantableRoles.includes(role)) {
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
  // They do not come with the original before MySQL 9.
  await setDefaultRoles(run, twin, [role, ...(await rolesOfEverybody(run, original))]);
  return true;
}

/** A table or view, and a routine. */
const noSuchObject = [1146, 1305];

async function alignRights(run: Run, original: AccountRow, twin: AccountRow, byRole: boolean, log: Log): Promise<void> {
  const existing = (await showGrants(run, twin)).filter(
    (right) => !byRole || right.is !== "role" || right.name !== accountName(original),
  );
  // The original may have thousands: they are read only where they matter.
  if (byRole && existing.length === 0) return;
  const wanted = await showGrants(run, original);
  const remedy = `Run as a user who may: GRANT the right WITH GRANT OPTION (or ROLE_ADMIN) to the admin of this rotation.`;
  for (const statement of reconcile(wanted, existing, twin, !byRole)) {
    try {
      await run(statement, `giving ${accountName(twin)} the original's rights (${statement})`, remedy);
    } catch (error) {
      // The server keeps rights on what was dropped, and grants none on it.
      if (!noSuchObject.includes(errorNumber(error) ?? 0)) throw error;
      log.info("A right of the original on something that was dropped is not copied", { statement });
    }
  }
  if (byRole) return;
  const granted = original.defaultRoles.filter((each) => original.roles.includes(each));
  await setDefaultRoles(run, twin, [...granted, ...(await rolesOfEverybody(run, original))]);
}

/**
 * The roles of everybody's (mandatory_roles) that the original's sessions start with. One that is everybody's no longer stays among an account's
 * default roles without effect, and cannot be set for another.
 */
async function rolesOfEverybody(run: Run, { roles, defaultRoles }: AccountRow): Promise<string[]> {
  const notGranted = defaultRoles.filter((each) => !roles.includes(each));
  if (notGranted.length === 0) return [];
  const mandatory = await run(
    "SELECT ROLE_NAME AS role, ROLE_HOST AS host FROM information_schema.APPLICABLE_ROLES WHERE IS_MANDATORY = 'YES'",
    "reading the roles of everybody",
  );
  return mandatory.map(({ role, host }) => `${role}@${host}`).filter((each) => notGranted.includes(each));
}

async function setDefaultRoles(run: Run, twin: AccountRow, roles: readonly string[]): Promise<void> {
  const list = (names: readonly string[]) => [...names].sort().join();
  if (list(twin.defaultRoles) === list(roles)) return;
  await run(
    `ALTER USER ${accountName(twin)} DEFAULT ROLE ${roles.length === 0 ? "NONE" : roles.map(roleName).join(", ")}`,
    `setting the default roles of ${accountName(twin)}`,
  );
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
