import {
  AWSCURRENT,
  AWSPENDING,
  AWSPREVIOUS,
  changesTo,
  type LabelChange,
  pairOf,
  unfinishedVersion,
} from "@quarterturn/core";
import { isSameServer } from "@quarterturn/database";
import type { Register } from "../command.ts";
import type { Context } from "../context.ts";
import { Failure } from "../failure.ts";
import { changeLabels, planOf } from "../label-changes.ts";
import { type DatabaseVersion, databaseVersion, reasonIn, tryLogin, type Verdict, wordsOf } from "../login.ts";
import type { Outcome } from "../output.ts";
import { adminSecretOption, restorationPlan, restorePassword } from "../password-restoration.ts";
import { bar, startProgress } from "../progress.ts";
import { requireYes, yesOption } from "../prompt.ts";
import { describe, type Secret } from "../secret.ts";
import { minuteOf } from "../times.ts";
import { type KeptVersion, keptVersions, readVersion } from "../version.ts";

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
}

async function recover(context: Context, secretId: string, flags: Flags): Promise<Outcome> {
  const secret = await describe(context, secretId);
  if (secret.state === "ROTATION_IN_PROGRESS") {
    throw new Failure(
      "refused",
      `A rotation of "${secret.name}" is in progress, and may be about to end this by itself`,
      `See how far it is: ${context.next("status", secret.name)}; stop it: ${context.next("cancel", secret.name)}`,
    );
  }
  const versions = (await keptVersions(context, secret)).toSorted(byPromise);
  const values = await readAll(context, secret, versions);
  const reference = values.find(({ value }) => value !== undefined)?.value;
  if (reference === undefined) {
    throw new Failure(
      "refused",
      `No version of "${secret.name}" is the value of a database that is known here`,
      "See which are: quarterturn apps.",
    );
  }
  const tried = await tryAll(context, secret, values, reference);
  const found = tried.find(({ verdict }) => verdict?.is === "accepted");
  context.note(report(tried));

  const about = { name: secret.name, arn: secret.arn, versions: tried.map(dataOf) };
  if (found?.labels.includes(AWSCURRENT)) {
    return {
      data: { ...about, recovered: null, passwordRestored: false, changes: [] },
      text: () => `AWSCURRENT of ${secret.name} logs in, so nothing was changed. Does the application read it anew?`,
    };
  }
  if (tried.some(({ verdict }) => verdict?.is === "unknown")) throw notReached(secret);
  return found
    ? promote(context, secret, found.id, about, flags)
    : restore(context, secret, values.find(isCurrent)?.value, about, flags);
}

async function promote(context: Context, secret: Secret, id: string, about: object, flags: Flags): Promise<Outcome> {
  const changes = [...withoutUnfinished(secret, id), ...changesTo(secret.versions, AWSCURRENT, id)];
  await requireYes(context, changes.map(planOf), `Make version ${id} AWSCURRENT?`, flags);
  await changeLabels(context, secret, changes);
  return {
    data: { ...about, recovered: id, passwordRestored: false, changes },
    text: (paint) => paint("green", `Version ${id} of ${secret.name} is AWSCURRENT, and logs in.`),
  };
}

async function restore(
  context: Context,
  secret: Secret,
  current: DatabaseVersion | undefined,
  about: object,
  flags: Flags,
): Promise<Outcome> {
  if (current === undefined) {
    throw new Failure(
      "refused",
      `The database accepts no version of "${secret.name}", and AWSCURRENT's value cannot be used`,
      `Store one that can: aws secretsmanager put-secret-value --secret-id ${secret.name}; then run this again.`,
    );
  }
  if ((flags.adminSecret ?? current.value.masterarn) === undefined) {
    throw new Failure(
      "refused",
      `The database accepts no version of "${secret.name}", and nobody is known who could set its password`,
      `Name an admin's secret: ${context.next("recover", secret.name, "--admin-secret", "ARN")}`,
    );
  }
  const changes = withoutUnfinished(secret, "");
  const plan = [restorationPlan(current, "AWSCURRENT"), ...changes.map(planOf)];
  await requireYes(context, plan, `Set the password of ${current.value.username}?`, flags);
  await restorePassword(context, secret, current, flags);
  await changeLabels(context, secret, changes);
  return {
    data: { ...about, recovered: null, passwordRestored: true, changes },
    text: (paint) => paint("green", `AWSCURRENT of ${secret.name} logs in again.`),
  };
}

/** A rotation that has stopped would block later ones, with a value that the database refuses. @param promoted its AWSPENDING may stay */
function withoutUnfinished({ versions }: Secret, promoted: string): LabelChange[] {
  const unfinished = unfinishedVersion(versions);
  return unfinished === undefined || unfinished === promoted ? [] : [{ label: AWSPENDING, from: unfinished }];
}

/** A version with its value; without one where it has none, or none of a database that is known here. */
interface ReadVersion extends KeptVersion {
  readonly value?: DatabaseVersion;
  readonly unusable?: string;
}

async function readAll(context: Context, secret: Secret, versions: readonly KeptVersion[]): Promise<ReadVersion[]> {
  const read: ReadVersion[] = [];
  for (const version of versions) {
    const text = await readVersion(context, secret, version.id);
    if (text === undefined) read.push({ ...version, unusable: "it has no value" });
    else
      read.push(
        await databaseVersion(text, `version ${version.id}`).then(
          (value) => ({ ...version, value }),
          (error) => ({ ...version, unusable: reasonIn(error, context) }),
        ),
      );
  }
  return read;
}

/** One after the other, until one is accepted: failed logins are counted by some servers. */
async function tryAll(
  context: Context,
  secret: Secret,
  versions: readonly ReadVersion[],
  reference: DatabaseVersion,
): Promise<Tried[]> {
  using progress = startProgress(context.io, "Logging in");
  const passwords = new Set<string>();
  const tried: Tried[] = [];
  for (const { value, unusable, ...version } of versions) {
    progress.show(`Logging in: ${bar(tried.length, versions.length)}`);
    const login = JSON.stringify([value?.value.username, value?.value.password]);
    const isFound = tried.some(({ verdict }) => verdict?.is === "accepted");
    const reason = unusable ?? (value && differenceOf(reference, value)) ?? (isFound ? "not needed" : undefined);
    if (value === undefined || reason !== undefined) tried.push({ ...version, notTried: reason ?? "" });
    else if (passwords.has(login)) tried.push({ ...version, notTried: "as one above" });
    else tried.push({ ...version, verdict: await tryLogin(context, secret, value) });
    passwords.add(login);
  }
  return tried;
}

const isCurrent = ({ labels }: KeptVersion) => labels.includes(AWSCURRENT);

/** Another user's or server's credentials may log in as well, and are not what the application is to have. */
function differenceOf(current: DatabaseVersion, other: DatabaseVersion): string | undefined {
  if (other.product !== current.product || !isSameServer(other.value, current.value)) return "another server";
  const names = (version: DatabaseVersion) => pairOf(version.value.username).original;
  return names(other) === names(current) ? undefined : "another user";
}

function notReached({ name }: Secret): Failure {
  return new Failure(
    "refused",
    `"${name}" was left as it is: not every version could be tried`,
    "Run this where the database is reached, e.g. in its VPC, and trust its certificate's authority (NODE_EXTRA_CA_CERTS).",
  );
}

const ranks = [AWSCURRENT, AWSPENDING, AWSPREVIOUS];

/** AWSCURRENT, AWSPENDING, AWSPREVIOUS, then the newest. */
function byPromise(a: KeptVersion, b: KeptVersion): number {
  const rank = ({ labels }: KeptVersion) => {
    const found = ranks.findIndex((label) => labels.includes(label));
    return found === -1 ? ranks.length : found;
  };
  return rank(a) - rank(b) || (b.created?.getTime() ?? 0) - (a.created?.getTime() ?? 0);
}

function report(tried: readonly Tried[]): string {
  return tried
    .map(({ id, labels, created, verdict, notTried = "" }) => {
      const about = [labels.join(" ") || "no label", ...(created ? [minuteOf(created)] : [])].join(", ");
      return `${id}  ${about}\n  ${verdict ? wordsOf(verdict) : `not tried: ${notTried}`}`;
    })
    .join("\n");
}

const dataOf = ({ id, labels, created, verdict, notTried }: Tried) => ({
  id,
  labels,
  created: created ?? null,
  login: verdict?.is ?? "not tried",
  reason: verdict?.is === "unknown" ? verdict.why : (notTried ?? null),
});
