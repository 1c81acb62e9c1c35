import { randomBytes } from "node:crypto";
import { RotationError } from "@quarterturn/core";
import type { EngineContext, IsOurs, Pair } from "@quarterturn/database";
import { type AccountPair, type AccountRow, type Accounts, readAccounts } from "./accounts.ts";
import type { Run } from "./connection.ts";
import { errorNumber } from "./errors.ts";
import { usedBefore } from "./password-change.ts";
import type { Server } from "./server.ts";
import { type Account, accountName, literal } from "./sql.ts";
import { isStoredForm, passwordPlugins } from "./stored-password.ts";
import { giveRights } from "./twin-rights.ts";

const remedy = "Run as a user who may: GRANT CREATE USER ON *.* to the admin of this rotation.";

type WholePair = AccountPair & { readonly twin: AccountRow };

/**
 * Makes the twin whole at every host that the original has an account for: created locked, with a random password and the mark, in one
 * statement; then with the original's terms and rights.
 */
export async function alignTwin(
  run: Run,
  server: Server,
  pair: Omit<Pair, "pending">,
  { isOurs, currentPassword }: { isOurs: IsOurs; currentPassword: string },
  address: string,
  { log }: EngineContext,
): Promise<void> {
  const { pairs, strays } = await requireOriginal(run, server, pair, address);
  refuseStrays(strays, pair.original, address);
  await requireMarks(pairs, "twin", run, isOurs, address);
  // The login of AWSCURRENT has proved one account to be the secret's, and does not say which.
  const isOurAccount = ({ original, twin }: AccountPair) =>
    twin !== undefined || pairs.length === 1 || hasPassword(original, currentPassword);
  const ours = pairs.filter(isOurAccount);
  if (ours.length === 0) {
    throw new RotationError(
      "unsupported",
      `${address} has several users "${pair.original}", and none of them is known to have AWSCURRENT's password`,
      `This try changed nothing. They must be identified with one of ${passwordPlugins.join(", ")}.`,
    );
  }
  for (const { original } of ours.filter((each) => !isWhole(each))) {
    const account = accountName({ user: pair.twin, host: original.host });
    await run(
      `CREATE USER IF NOT EXISTS ${account} ${identifiedBy(original, `Aa1!${randomBytes(24).toString("base64url")}`)} ${original.terms} ACCOUNT LOCK ATTRIBUTE ${json({ ...original.attributes, ...mark(original) })}`,
      `creating the user ${account}`,
      remedy,
    );
  }
  for (const { original, twin } of ours.every(isWhole) ? ours : await wholePairs(run, pair, ours, isOurs, address)) {
    if (twin.terms !== original.terms) {
      await run(
        `ALTER USER ${accountName(twin)} ${original.terms}`,
        `giving ${accountName(twin)} the original's terms`,
      );
    }
    await giveRights(run, original, twin, log);
  }
}

/** The pairs as they are after twins were made; somebody else may have been faster. */
async function wholePairs(
  run: Run,
  pair: Omit<Pair, "pending">,
  expected: readonly AccountPair[],
  isOurs: IsOurs,
  address: string,
): Promise<readonly WholePair[]> {
  const { pairs } = await readAccounts(run, pair);
  await requireMarks(pairs, "twin", run, isOurs, address);
  return expected.map(({ original: { host } }) => {
    const found = pairs.filter(isWhole).find(({ original }) => original.host === host);
    if (found) return found;
    throw new RotationError(
      "wrong-target",
      `${address}: ${accountName({ user: pair.twin, host })} was dropped while it was prepared`,
      "The service tries the rotation again.",
    );
  });
}

/**
 * Sets the pending user's password at all hosts, and unlocks the twin: it is whole. One statement, so that it is done or not. A second
 * password, which the user had when it was rotated alone, ends: nobody would replace it any more.
 */
export async function setPassword(
  run: Run,
  server: Server,
  pair: Pair,
  password: string,
  isOurs: IsOurs,
  address: string,
  { log }: EngineContext,
): Promise<void> {
  const { pairs } = await requireOriginal(run, server, pair, address);
  await requireMarks(pairs, pair.pending, run, isOurs, address);
  const whole = pairs.filter(isWhole);
  if (whole.length === 0) {
    throw new RotationError(
      "wrong-target",
      `${address} has no user "${pair.twin}" that is the twin of "${pair.original}"`,
      "This try changed nothing. Put the original's user and password into the secret, and rotate again.",
    );
  }
  const others = pairs.filter((each) => !isWhole(each)).map(({ original }) => accountName(original));
  if (others.length > 0) {
    log.warn("Accounts of the user's name that are not known to be this secret's are left as they are", { others });
  }
  const accounts = whole.map((each) => ({
    ...each[pair.pending],
    plugin: each.original.plugin,
    staysLocked: each.original.isLocked,
  }));
  const doing = `setting the password of "${pair[pair.pending]}"`;
  const alter = async (some: typeof accounts, end: string) => {
    if (some.length === 0) return;
    const identified = (account: (typeof some)[number]) => `${accountName(account)} ${identifiedBy(account, password)}`;
    try {
      await run(`ALTER USER ${some.map(identified).join(", ")} ${end}`, doing, remedy);
    } catch (error) {
      if (errorNumber(error) !== usedBefore) throw error;
      // An earlier try may have set it for some, whose password history then holds it.
      const now = await readAccounts(run, pair);
      const done = new Set(
        now.pairs
          .flatMap((each) => each[pair.pending] ?? [])
          .filter(({ storedPassword }) => isStoredForm(storedPassword, password))
          .map(({ host }) => host),
      );
      if (!some.some(({ host }) => done.has(host))) throw error;
      const rest = some.map((account) => (done.has(account.host) ? accountName(account) : identified(account)));
      await run(`ALTER USER ${rest.join(", ")} ${end}`, doing, remedy);
    }
  };
  const open = accounts.filter(({ staysLocked }) => pair.pending === "original" || !staysLocked);
  await alter(
    accounts.filter((account) => !open.includes(account)),
    "ACCOUNT LOCK",
  );
  await alter(open, pair.pending === "twin" ? "ACCOUNT UNLOCK" : "");
  const discards = accounts
    .filter(({ storedOldPassword }) => storedOldPassword !== undefined)
    .map((account) => `${accountName(account)} DISCARD OLD PASSWORD`);
  if (discards.length > 0) await run(`ALTER USER ${discards.join(", ")}`, doing, remedy);
}

/** @throws RotationError where the server cannot have twins, or has no such user */
export async function requireOriginal(
  run: Run,
  { hasAttributes }: Server,
  pair: Omit<Pair, "pending">,
  address: string,
): Promise<Accounts> {
  if (!hasAttributes) {
    throw new RotationError(
      "unsupported",
      `${address}: the multi-user strategy needs MySQL 8.0.21 or later`,
      "This try changed nothing. Use the single-user strategy for this server.",
    );
  }
  const accounts = await readAccounts(run, pair);
  if (accounts.pairs.length > 0) return accounts;
  throw new RotationError(
    "wrong-target",
    `${address} has no user "${pair.original}", whose twin "${pair.twin}" would be`,
    "This try changed nothing. Create it, or use the single-user strategy for this user.",
  );
}

/**
 * An account that merely has the twin's name is somebody else's, and must be neither changed nor believed. Only who has CREATE USER can set
 * the mark. A twin of AWS's functions has none, and is the only account of its name: then the secret itself proves that it is its own.
 */
async function requireMarks(
  pairs: readonly AccountPair[],
  pending: Pair["pending"],
  run: Run,
  isOurs: IsOurs,
  address: string,
): Promise<void> {
  const mayHave = (password: string) =>
    pairs.some(
      ({ [pending]: user }) => user && (!passwordPlugins.includes(user.plugin) || hasPassword(user, password)),
    );
  const twins = pairs.filter(isWhole);
  for (const { original, twin } of twins) {
    if (twin.twinOf === original.user) continue;
    const statement = `ALTER USER ${accountName(twin)} ATTRIBUTE ${json(mark(original))}`;
    if (twins.length > 1 || !(await isOurs(mayHave))) {
      throw new RotationError(
        "wrong-target",
        `${address} has a user ${accountName(twin)} that is not known to be the twin of ${accountName(original)}, and AWSPREVIOUS does not ${twins.length > 1 ? "say which of several accounts it logs in to" : "log in as the pending user"}`,
        `This try changed nothing. If the two are this secret's users, run as an admin: ${statement}; otherwise rename one of the two.`,
      );
    }
    await run(statement, `marking ${accountName(twin)} as the twin`);
  }
}

/**
 * From such an account's hosts the twin's logins would reach it, and not what the original's logins reach: they would find another's account,
 * or an old password, or no rights. It may be the definer of views, so it is not for this function to drop it.
 */
export function refuseStrays(strays: readonly AccountRow[], original: string, address: string): void {
  for (const { user, host } of strays) {
    throw new RotationError(
      "wrong-target",
      `${address} has a user ${accountName({ user, host })} and no user ${accountName({ user: original, host })}, whose twin it would be`,
      `This try changed nothing. Run as an admin: DROP USER ${accountName({ user, host })}; (after a look at what it is the DEFINER of), or create the other one, or rename this one.`,
    );
  }
}

const isWhole = (pair: AccountPair): pair is WholePair => pair.twin !== undefined;

const hasPassword = ({ plugin, storedPassword, storedOldPassword = "" }: AccountRow, password: string) =>
  passwordPlugins.includes(plugin) &&
  (isStoredForm(storedPassword, password) || isStoredForm(storedOldPassword, password));

const mark = ({ user }: Account) => ({ quarterturn: { twinOf: user } });
const json = (value: object) => literal(JSON.stringify(value));
const identifiedBy = ({ plugin }: AccountRow, password: string) =>
  `IDENTIFIED WITH ${literal(plugin)} BY ${literal(password)}`;
