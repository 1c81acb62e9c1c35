import { AWSCURRENT, AWSPREVIOUS, RotationError, versionWith } from "@quarterturn/core";
import { addressOf, loginOf, type Session, whereOf } from "@quarterturn/database";
import { lookAgain, requireFinished } from "../as-seen.ts";
import type { Register } from "../command.ts";
import type { Context } from "../context.ts";
import { keepsOldPasswords } from "../engines.ts";
import { after, asFailure, Failure } from "../failure.ts";
import { type DatabaseVersion, databaseVersion, rotationContext, tryLogin, type Verdict, wordsOf } from "../login.ts";
import type { Outcome } from "../output.ts";
import { requireYes, yesOption } from "../prompt.ts";
import { describePrimary, type Secret } from "../secret.ts";
import { readVersion } from "../version.ts";

interface Flags {
  readonly yes?: boolean;
}

export const registerDiscardOld: Register = (program, act) =>
  program
    .command("discard-old <SECRET>")
    .description("After a leak: ends the old password that MySQL keeps beside AWSCURRENT's.")
    .option(...yesOption)
    .action(act(discardOld));

async function discardOld(context: Context, secretId: string, flags: Flags): Promise<Outcome> {
  const secret = await describePrimary(context, secretId);
  const undone = `No password of "${secret.name}" was discarded`;
  // The pending password would end with the others.
  requireFinished(context, secret, undone);
  const { current, old } = await readPasswords(context, secret);
  const verdict = await tryLogin(context, secret, current);
  if (verdict.is !== "accepted") throw notDiscarded(context, secret, verdict);
  await withSession(context, secret, current, async () => undefined);
  const plan = [
    `AWSCURRENT ${wordsOf(verdict)}`,
    old
      ? `AWSPREVIOUS ${wordsOf(await tryLogin(context, secret, old))}`
      : "No version is AWSPREVIOUS, so no old password is known here",
    `Every other password of "${current.value.username}" than AWSCURRENT's ends at ${addressOf(current.value)}: new logins with it are refused, open sessions stay`,
  ];
  await requireYes(context, plan, `Discard the old password of ${secret.name}?`, flags);
  await withSession(context, secret, current, async (discard) => {
    await lookAgain(context, secret, undone, async () => undefined);
    await discard().catch((error) => {
      throw withoutAnswer(context, secret, error) ?? error;
    });
  });
  // AWSCURRENT last: its login ends a server's count of refused ones.
  const ofOld = old && (await tryLogin(context, secret, old));
  const ofCurrent = await tryLogin(context, secret, current);
  await after(
    "The old password was discarded",
    () => lookAgain(context, secret, `AWSCURRENT of "${secret.name}" may not log in`, async () => undefined),
    `See which version does: ${context.next("recover", secret.id)}`,
  );
  requireDone(context, secret, ofCurrent, ofOld);
  return {
    data: { name: secret.name, arn: secret.arn, username: current.value.username, previous: ofOld?.is ?? null },
    text: (paint) => {
      const seen = `AWSCURRENT of ${secret.name} logs in${ofOld ? `; AWSPREVIOUS ${wordsOf(ofOld)}` : ""}.`;
      return paint("green", `The old password was discarded. ${seen}`);
    },
  };
}

/** The password that the database may have kept is tried where AWSCURRENT's is. */
interface Passwords {
  readonly current: DatabaseVersion;
  readonly old?: DatabaseVersion;
}

/** @throws Failure where AWSPREVIOUS's is not an old password of AWSCURRENT's user */
async function readPasswords(context: Context, secret: Secret): Promise<Passwords> {
  const read = async (label: string) => {
    const id = versionWith(secret.versions, label);
    const text = id === undefined ? undefined : await readVersion(context, secret, id);
    return text === undefined ? undefined : databaseVersion(text, label);
  };
  const current = await read(AWSCURRENT);
  if (current === undefined) throw new Failure("refused", `"${secret.name}" has no value that is AWSCURRENT`);
  if (!keepsOldPasswords(current.product)) throw onePassword(current);
  const previous = await read(AWSPREVIOUS);
  if (previous === undefined) return { current };
  const { username, password } = current.value;
  const rotate = context.next("rotate", secret.id, "--wait");
  const refuse = (what: string, next: string) =>
    new Failure("refused", `No password of "${secret.name}" was discarded: ${what}`, next);
  if (previous.value.username !== username) {
    throw refuse(
      `AWSPREVIOUS is of another user, "${previous.value.username}", whose only password that is`,
      `The next rotation gives it another: ${rotate}`,
    );
  }
  if (previous.value.password === password) {
    throw refuse("AWSPREVIOUS holds the same one as AWSCURRENT", `Rotate, then run this again: ${rotate}`);
  }
  return { current, old: { ...current, value: { ...current.value, password: previous.value.password } } };
}

const onePassword = ({ value }: DatabaseVersion) =>
  new Failure(
    "refused",
    `There is no old password to discard: ${addressOf(value)} keeps one password for a user, and a rotation ends the one before`,
  );

/** Logs in as AWSCURRENT's user to do something with its passwords. @throws Failure also where the server keeps one password for a user */
async function withSession(
  context: Context,
  secret: Secret,
  version: DatabaseVersion,
  work: (discard: NonNullable<Session["discardOtherPasswords"]>) => Promise<void>,
): Promise<void> {
  try {
    const engine = await version.product.load();
    const session = await engine.login(loginOf(version.value), rotationContext(context, secret));
    if (session === "rejected") throw notDiscarded(context, secret, { is: "refused", where: whereOf(version.value) });
    try {
      if (!session.discardOtherPasswords) throw onePassword(version);
      await work(session.discardOtherPasswords);
    } finally {
      await session.close();
    }
  } catch (error) {
    throw asFailure(error);
  }
}

/** The statement was sent, and the server did not say what became of it. */
function withoutAnswer(context: Context, { id, name }: Secret, error: unknown): Failure | undefined {
  if (!(error instanceof RotationError && ["timeout", "unreachable"].includes(error.code))) return undefined;
  return new Failure(
    "refused",
    `Whether the old password of "${name}" was discarded is not known. ${error.what}`,
    `AWSCURRENT's was not touched. Run it again: ${context.next("discard-old", id)}`,
    { cause: error },
  );
}

const notDiscarded = (context: Context, { id, name }: Secret, verdict: Verdict) =>
  new Failure(
    "refused",
    `No password of "${name}" was discarded, since AWSCURRENT's must work first: it ${wordsOf(verdict)}`,
    verdict.is === "refused" ? `See which version does: ${context.next("recover", id)}` : "",
  );

function requireDone(context: Context, { id, name }: Secret, ofCurrent: Verdict, ofOld: Verdict | undefined): void {
  if (ofCurrent.is !== "accepted") {
    throw new Failure(
      "refused",
      `The old password of "${name}" was discarded, and AWSCURRENT ${wordsOf(ofCurrent)}`,
      `See which version logs in: ${context.next("recover", id)}`,
    );
  }
  if (ofOld === undefined || ofOld.is === "refused") return;
  throw new Failure(
    "refused",
    `The old password of "${name}" was discarded, and all the same AWSPREVIOUS ${wordsOf(ofOld)}`,
    `Is a proxy or a replica in between? Run it again: ${context.next("discard-old", id)}`,
  );
}
