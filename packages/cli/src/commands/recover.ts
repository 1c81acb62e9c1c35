import { AWSCURRENT, AWSPENDING, AWSPREVIOUS, changesTo, type LabelChange, unfinishedVersion } from "@quarterturn/core";
import type { Register } from "../command.ts";
import type { Context } from "../context.ts";
import { Failure } from "../failure.ts";
import { isInteractive } from "../io.ts";
import {
  type DatabaseVersion,
  differenceOf,
  readDatabaseVersion,
  reasonIn,
  tryLogin,
  type Verdict,
  wordsOf,
} from "../login.ts";
import type { Outcome } from "../output.ts";
import { adminSecretOption, restorePassword } from "../password-restoration.ts";
import { bar, startProgress } from "../progress.ts";
import { promote } from "../promotion.ts";
import { yesOption } from "../prompt.ts";
import { describePrimary, type Secret } from "../secret.ts";
import { minuteOf } from "../times.ts";
import { isUndecryptable, type KeptVersion, keptVersions } from "../version.ts";

interface Flags {
  readonly adminSecret?: string;
  readonly yes?: boolean;
}

export const registerRecover: Register = (program, act) =>
  program
    .command("recover <SECRET>")
    .description(
      "When the application is locked out: finds the version that the database accepts, and makes it AWSCURRENT. Where there is none, an admin sets AWSCURRENT's password anew.",
    )
    .option(...adminSecretOption)
    .option(...yesOption)
    .action(act(recover));

interface Tried extends KeptVersion {
  readonly verdict?: Verdict;
  /** Why there is no verdict. */
  readonly notTried?: string;
  /** In what it is not like AWSCURRENT: such a version is not tried. */
  readonly difference?: string;
}

async function recover(context: Context, secretId: string, flags: Flags): Promise<Outcome> {
  const secret = await describePrimary(context, secretId);
  if (secret.state === "ROTATION_IN_PROGRESS") {
    throw new Failure(
      "refused",
      `A rotation of "${secret.name}" is in progress, and may be about to end this by itself`,
      `See how far it is: ${context.next("status", secret.id)}; or turn rotation off, and then run this again: ${context.next("cancel", secret.id)}`,
    );
  }
  const versions = (await keptVersions(context, secret)).toSorted(byPromise);
  const values = await readAll(context, secret, versions);
  const reference = values.find(({ value }) => value !== undefined)?.value;
  const tried = reference === undefined ? values.map(notTriedOf) : await tryAll(context, secret, values, reference);
  context.note(report(context, secret, tried));
  if (reference === undefined) {
    throw new Failure(
      "refused",
      `No version of "${secret.name}" is the value of a database that is known here`,
      "See which are: quarterturn apps.",
    );
  }
  const unfinished = unfinishedVersion(secret.versions);
  const about = { name: secret.name, arn: secret.arn, versions: tried.map(dataOf) };
  const found = tried.find(({ verdict }) => verdict?.is === "accepted");
  if (found?.labels.includes(AWSCURRENT)) {
    return {
      data: { ...about, recovered: null, passwordRestored: false, changes: [] },
      text: () =>
        `AWSCURRENT of ${secret.name} logs in, so nothing was changed. Does the application read it anew?${onRotation(context, secret, unfinished)}`,
    };
  }
  // A rotation that has stopped would block later ones, with a value that is not AWSCURRENT.
  const end: LabelChange[] =
    unfinished === undefined || unfinished === found?.id ? [] : [{ label: AWSPENDING, from: unfinished }];
  const current = values.find(({ labels }) => labels.includes(AWSCURRENT));
  if (found) {
    const changes = [...end, ...changesTo(secret.versions, AWSCURRENT, found.id)];
    if (current?.isUndecryptable && (flags.yes || !isInteractive(context.io))) {
      throw new Failure(
        "refused",
        `AWSCURRENT of "${secret.name}" was not moved: it cannot be decrypted from here, and it may be the value that works`,
        `Run this as somebody who may use its key; or, if it is known not to work: ${context.next("stage", secret.id, AWSCURRENT, found.id)}`,
      );
    }
    await promote(context, secret, found.id, changes, doubtsOf(tried), flags);
    return {
      data: { ...about, recovered: found.id, passwordRestored: false, changes },
      text: (paint) =>
        paint("green", `Version ${found.id} of ${secret.name} is AWSCURRENT, and logs in.`) +
        onRotation(context, secret),
    };
  }
  requireAllTried(secret, tried);
  if (current?.value === undefined) {
    throw new Failure(
      "refused",
      `The database accepts no version of "${secret.name}", and AWSCURRENT's value cannot be used`,
      `Store one that can: ${context.aws("secretsmanager", "put-secret-value", "--secret-id", secret.id, "--secret-string", "file://FILE")}; then run this again.`,
    );
  }
  await restorePassword(context, secret, { ...current.value, id: current.id, label: AWSCURRENT }, end, [], flags);
  return {
    data: { ...about, recovered: null, passwordRestored: true, changes: end },
    text: (paint) => paint("green", `AWSCURRENT of ${secret.name} logs in again.`) + onRotation(context, secret),
  };
}

/** Whoever was locked out has often turned it off, and would find out when the password is old. */
function onRotation(context: Context, { id, functionArn, rotationEnabled }: Secret, unfinished?: string): string {
  if (functionArn === undefined || rotationEnabled) return "";
  const blocked = unfinished === undefined ? "" : `, after ${context.next("cancel", id, "--clear-pending")}`;
  return `\nIts rotation is off. To turn it on again: ${context.next("rotate", id, "--wait")}${blocked}`;
}

/** What speaks against passing AWSCURRENT over: a login that was not seen to fail. */
function doubtsOf(tried: readonly Tried[]): string[] {
  const current = tried.find(({ labels }) => labels.includes(AWSCURRENT));
  if (current === undefined || (current.verdict && current.verdict.is !== "unknown")) return [];
  return [`AWSCURRENT may be the value that works: it ${current.verdict ? "could not be" : "was not"} tried`];
}

/** Before an admin sets a password: that no version logs in must be seen, and that all of them are of the user that is meant. @throws Failure */
function requireAllTried({ name }: Secret, tried: readonly Tried[]): void {
  const undone = `"${name}" was left as it is`;
  for (const { id, verdict } of tried) {
    if (verdict?.is !== "unknown") continue;
    const why = `Version ${id} ${wordsOf(verdict)}`;
    throw new Failure("refused", `${undone}, since not every version could be tried. ${why}`);
  }
  const different = tried.filter(({ difference }) => difference !== undefined).length;
  if (different === 0) return;
  throw new Failure(
    "refused",
    `${undone}: ${different} of its ${tried.length} versions ${different === 1 ? "is" : "are"} of another user or server than AWSCURRENT, so nobody can say whose password is to be set`,
    "If one of them is meant, run its command above; if AWSCURRENT is, give its user that password in the database by hand.",
  );
}

/** A version with its value; without one where it has none, or none of a database that is known here. */
interface ReadVersion extends KeptVersion {
  readonly value?: DatabaseVersion;
  readonly unusable?: string;
  readonly isUndecryptable?: boolean;
}

async function readAll(context: Context, secret: Secret, versions: readonly KeptVersion[]): Promise<ReadVersion[]> {
  const read: ReadVersion[] = [];
  for (const version of versions) {
    try {
      const value = await readDatabaseVersion(context, secret, version.id);
      read.push({ ...version, ...(value ? { value } : { unusable: "it has no value" }) });
    } catch (error) {
      read.push({ ...version, unusable: reasonIn(error, context), isUndecryptable: isUndecryptable(error) });
    }
  }
  return read;
}

const notTriedOf = ({ value: _, isUndecryptable: __, unusable = "", ...version }: ReadVersion): Tried => ({
  ...version,
  notTried: unusable,
});

/** One after the other, until one is accepted: failed logins are counted by some servers. */
async function tryAll(
  context: Context,
  secret: Secret,
  versions: readonly ReadVersion[],
  reference: DatabaseVersion,
): Promise<Tried[]> {
  using progress = startProgress(context.io, "Logging in");
  const logins = new Set<string>();
  const tried: Tried[] = [];
  for (const version of versions) {
    const { id, labels, created, value } = version;
    const kept: KeptVersion = { id, labels, ...(created && { created }) };
    progress.show(`Logging in: ${bar(tried.length, versions.length)}`);
    const login = JSON.stringify(value?.value);
    const difference = value && differenceOf(reference, value);
    if (value === undefined) tried.push(notTriedOf(version));
    else if (difference !== undefined) tried.push({ ...kept, notTried: difference, difference });
    else if (tried.some(({ verdict }) => verdict?.is === "accepted")) tried.push({ ...kept, notTried: notNeeded });
    else if (logins.has(login)) tried.push({ ...kept, notTried: "as one above" });
    else tried.push({ ...kept, verdict: await tryLogin(context, secret, value) });
    logins.add(login);
  }
  return tried;
}

const notNeeded = "not needed";

const ranks = [AWSCURRENT, AWSPENDING, AWSPREVIOUS];

/** AWSCURRENT, AWSPENDING, AWSPREVIOUS, then the newest. */
function byPromise(a: KeptVersion, b: KeptVersion): number {
  const rank = ({ labels }: KeptVersion) => {
    const found = ranks.findIndex((label) => labels.includes(label));
    return found === -1 ? ranks.length : found;
  };
  return rank(a) - rank(b) || (b.created?.getTime() ?? 0) - (a.created?.getTime() ?? 0);
}

function report(context: Context, secret: Secret, tried: readonly Tried[]): string {
  const told = tried.filter(({ labels, notTried }) => labels.length > 0 || notTried !== notNeeded);
  const rest = tried.length - told.length;
  return told
    .map(({ id, labels, created, verdict, notTried = "", difference }) => {
      const about = [labels.join(" ") || "no label", ...(created ? [minuteOf(created)] : [])].join(", ");
      const command = difference ? `: ${context.next("stage", secret.id, AWSCURRENT, id)}` : "";
      return `${id}  ${about}\n  ${verdict ? wordsOf(verdict) : `not tried: ${notTried}${command}`}`;
    })
    .concat(rest > 0 ? [`${rest} more without a label: ${notNeeded}`] : [])
    .join("\n");
}

const dataOf = ({ id, labels, created, verdict, notTried }: Tried) => ({
  id,
  labels,
  created: created ?? null,
  login: verdict?.is ?? "not tried",
  reason: verdict?.is === "unknown" ? verdict.why : (notTried ?? null),
});
