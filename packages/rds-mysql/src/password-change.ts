import { type CurrentAfterSet, type Log, RotationError } from "@quarterturn/core";
import type { EngineContext, Login } from "@quarterturn/database";
import type { Run } from "./connection.ts";
import { errorNumber } from "./errors.ts";
import type { Server } from "./server.ts";
import { type Account, accountName, identifier, literal } from "./sql.ts";
import { nativeHash } from "./stored-password.ts";

/** "you need (at least one of) the CREATE USER or APPLICATION_PASSWORD_ADMIN privilege(s)" */
const noPrivilege = 1227;
/** The password after REPLACE is not the primary one. */
const notThePrimary = 3891;
/** Passwords that were used before are refused (PASSWORD HISTORY), and that is looked at before the one after REPLACE. */
export const usedBefore = 3638;
/** MariaDB: a plugin of the server judges passwords and must see them (strict_password_validation). */
const mustBeSeen = 1290;

/**
 * Gives the session's user another primary password and keeps the one that the session logged in with, where the server and the user's rights
 * allow it. REPLACE makes the change a compare-and-swap by the server itself: applied twice, RETAIN would lose the old password.
 *
 * | the server's answer to REPLACE and RETAIN | the next password | what is true and done |
 * | --- | --- | --- |
 * | success | | both are valid |
 * | 3891, or 3638 | logs in | an earlier try did it, or another at the same time: the session's password may be refused from now on |
 * | 3891 | is refused | the session's password is the secondary one (a rotation was abandoned or rolled back): only the primary one is set |
 * | 1227 | | the user may not keep two: the password is changed without RETAIN, and the session's is refused from then on |
 *
 * @param isAccepted whether the user logs in with a password
 * @see https://dev.mysql.com/doc/refman/9.7/en/password-management.html#dual-passwords
 */
export async function changePassword(
  run: Run,
  server: Server,
  login: Login,
  next: string,
  isAccepted: (password: string) => Promise<boolean>,
  context: EngineContext,
): Promise<CurrentAfterSet> {
  const { log } = context;
  const account = accountName(server.account);
  const doing = `changing the password of ${account}`;
  if (server.account.host !== "%") {
    log.info("Only this account of the user's name is changed: logins from other hosts may reach another", { account });
  }
  if (server.isMariadb) {
    await changeMariadbPassword(run, next, doing);
    return "refused";
  }
  const alter = `ALTER USER CURRENT_USER() IDENTIFIED BY ${literal(next)}`;
  if (!server.hasDualPasswords) {
    await run(alter, doing);
    return "refused";
  }
  const replace = `${alter} REPLACE ${literal(login.password)}`;
  try {
    try {
      await run(`${replace} RETAIN CURRENT PASSWORD`, doing);
      return "valid";
    } catch (error) {
      if (errorNumber(error) !== noPrivilege) throw error;
      await run(replace, doing);
      log.warn(
        "The user may not keep two passwords, so new logins with the old one are refused until AWSCURRENT has moved: an admin can run the statement",
        { statement: `GRANT APPLICATION_PASSWORD_ADMIN ON *.* TO ${account};` },
      );
      return "refused";
    }
  } catch (error) {
    if (![notThePrimary, usedBefore].includes(errorNumber(error) ?? 0)) throw error;
    if (await isAccepted(next)) {
      log.info("The pending password was set by an earlier try");
      return (await isAccepted(login.password)) ? "valid" : "refused";
    }
    if (errorNumber(error) === usedBefore) throw error;
  }
  // What follows is no compare-and-swap: the primary password may be that of a rotation which has taken this one's place.
  await context.requirePending(0);
  if (!(await isAccepted(login.password))) {
    throw new RotationError(
      "superseded",
      `The password of ${account} was changed by another rotation or by somebody else while this try ran`,
      "This try changed nothing. If no other rotation is running, see which version logs in and make it AWSCURRENT, or give the user AWSCURRENT's password; then start a new rotation.",
    );
  }
  log.info("AWSCURRENT has the user's secondary password: it is kept, and the primary one is replaced");
  await run(
    alter,
    doing,
    `The account demands its primary password for a change (PASSWORD REQUIRE CURRENT), and AWSCURRENT has the secondary one. Run as an admin: ALTER USER ${account} PASSWORD REQUIRE CURRENT OPTIONAL;`,
  );
  return "valid";
}

/** Before AWSCURRENT's password is gone, and not when testSecret logs in as an application does. @throws RotationError `privilege` or `bad-secret` */
export async function requireDatabase(run: Run, name: string): Promise<void> {
  const remedy = "Grant the user a right on this database, or correct dbname in the secret.";
  // Not USE: the filters of the binary log and of replication go by the session's database.
  await run(`SHOW TABLES FROM ${identifier(name)} LIKE ''`, "looking into the secret's database", remedy);
}

/** By SET PASSWORD, since ALTER USER takes a right there that not every user has on itself. Its logs show what is sent, so that is a hash where it can be. */
async function changeMariadbPassword(run: Run, next: string, doing: string, account?: string): Promise<void> {
  const [show, set] = [account ?? "", account === undefined ? "" : ` FOR ${account}`];
  const [row] = await run(`SHOW CREATE USER ${show}`, "asking how the user's password is kept", restoreRemedy);
  if (/ IDENTIFIED BY PASSWORD '\*/.test(String(Object.values(row ?? {})[0]))) {
    try {
      await run(`SET PASSWORD${set} = ${literal(nativeHash(next))}`, doing, restoreRemedy);
      return;
    } catch (error) {
      if (errorNumber(error) !== mustBeSeen) throw error;
    }
  }
  await run(`SET PASSWORD${set} = PASSWORD(${literal(next)})`, doing, restoreRemedy);
}

const restoreRemedy = "Run as a user who may: GRANT CREATE USER ON *.*, SELECT ON mysql.* to the admin.";

/** An admin's: gives the only account of a name another password; a second one, where it has one, stays. */
export async function restorePassword(
  run: Run,
  { isMariadb }: Server,
  user: string,
  password: string,
  address: string,
): Promise<void> {
  const found = await run(
    `SELECT Host AS host FROM mysql.user WHERE User = ${literal(user)}`,
    "reading the accounts of the user's name",
    restoreRemedy,
  );
  const accounts = found.map(({ host }) => accountName({ user, host }));
  const [account] = accounts;
  if (account === undefined || accounts.length > 1) {
    throw new RotationError(
      "wrong-target",
      account === undefined
        ? `${address} has no user "${user}"`
        : `${address} has several accounts of the name "${user}" (${accounts.join(", ")}), and nobody knows which is the secret's`,
      "This try changed nothing. Give the right one the secret's password yourself (ALTER USER).",
    );
  }
  const doing = `setting the password of ${account}`;
  if (isMariadb) await changeMariadbPassword(run, password, doing, account);
  else await run(`ALTER USER ${account} IDENTIFIED BY ${literal(password)}`, doing, restoreRemedy);
}

/**
 * Ends every other password of the session's user. RETAIN puts the session's own password in the place of the old one, but only if it is the
 * primary one: a plain DISCARD would take AWSCURRENT's away where a next rotation has made it the secondary one already.
 */
export async function discardOldPassword(
  run: Run,
  server: Server,
  { password }: Login,
  { log }: { readonly log: Log },
): Promise<void> {
  if (!server.hasDualPasswords) return;
  const account = accountName(server.account);
  const own = literal(password);
  try {
    await run(
      `ALTER USER CURRENT_USER() IDENTIFIED BY ${own} REPLACE ${own} RETAIN CURRENT PASSWORD`,
      `discarding the old password of ${account}`,
    );
  } catch (error) {
    const why = { [noPrivilege]: "may not keep two passwords", [usedBefore]: "keeps a history of its passwords" }[
      errorNumber(error) ?? 0
    ];
    if (why === undefined) throw error;
    log.warn(`The user ${why}, so it cannot discard an old one; where it has one, an admin ends it by the statement`, {
      statement: `ALTER USER ${account} DISCARD OLD PASSWORD;`,
    });
  }
}

/**
 * A person's: ends every password of the session's user but the session's own. Where that is the secondary one, as after a rollback, it
 * becomes the primary one as well, by a statement without RETAIN, which leaves the secondary one as it is.
 */
export async function discardOtherPasswords(
  run: Run,
  server: Server,
  { password }: Login,
  isAccepted: (password: string) => Promise<boolean>,
): Promise<void> {
  const account = accountName(server.account);
  const doing = `discarding the other passwords of ${account}`;
  const own = literal(password);
  const alter = `ALTER USER CURRENT_USER() IDENTIFIED BY ${own}`;
  try {
    const right = `Nothing was changed. Run as an admin: GRANT APPLICATION_PASSWORD_ADMIN ON *.* TO ${account}; then do this again.`;
    await run(`${alter} REPLACE ${own} RETAIN CURRENT PASSWORD`, doing, right);
    return;
  } catch (error) {
    if (errorNumber(error) === usedBefore) {
      throw new RotationError(
        "database",
        `${account} keeps a history of its passwords, so it cannot be given its own again, which is what ends the others`,
        "Nothing was changed. The next rotation ends the older one: rotate.",
        { cause: error },
      );
    }
    if (errorNumber(error) !== notThePrimary) throw error;
  }
  if (!(await isAccepted(password))) {
    throw new RotationError(
      "superseded",
      `The password of ${account} was changed by somebody else meanwhile`,
      "Nothing was changed. See which version logs in, and make it AWSCURRENT.",
    );
  }
  await run(
    alter,
    doing,
    `Nothing was changed. The account demands its primary password for a change, and AWSCURRENT has the secondary one. Run as an admin: ALTER USER ${account} PASSWORD REQUIRE CURRENT OPTIONAL; then do this again.`,
  );
}

/** @throws RotationError `wrong-target` where the session is another user's, e.g. by a proxy account or as the anonymous user */
export function requireOwnSession(account: Account, login: Login, address: string): void {
  if (account.user === login.username) return;
  throw new RotationError(
    "wrong-target",
    `${address}: the login of "${login.username}" is a session of ${accountName(account)}`,
    "This try changed nothing. A proxy account, an anonymous account or a proxy server stands in between: put the server's own host and user into the secret.",
  );
}
