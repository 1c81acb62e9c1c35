import { setTimeout as sleep } from "node:timers/promises";
import { asRotationError, RotationError } from "./errors.ts";
import type { RotationEvent } from "./event.ts";
import { AWSCURRENT, AWSPREVIOUS, type Decision, decide, finishMove, type LabelMove, type Refusal } from "./labels.ts";
import type { RotationContext, Rotator } from "./rotator.ts";
import { readSecretValue } from "./secret-value.ts";
import type { DescribedSecret, SecretStore, SecretVersion } from "./store.ts";

/**
 * Runs one step: asks the label state machine, gives the rotator its values, and moves the labels. Idempotent, as its parts are.
 *
 * @param earlyPromotion move AWSCURRENT in setSecret, where the current credentials are refused from there on
 * @returns `done` where an earlier try had finished the rotation already
 * @throws RotationError
 */
export async function runStep<S, Changes>(
  event: RotationEvent,
  rotator: Rotator<S, Changes>,
  store: SecretStore,
  context: RotationContext,
  earlyPromotion: boolean,
): Promise<"ran" | "done"> {
  const { secretId, token } = event;
  const valid = (version: SecretVersion, name: string): Promise<S> =>
    readSecretValue(version.text, name, rotator.schema, rotator.format);
  const read = async (label: string) => ({ label, version: await store.read(secretId, { label }) });
  const valued = async ({ label, version }: Awaited<ReturnType<typeof read>>) =>
    version && { id: version.id, text: version.text, value: await valid(version, label) };
  const labelled = async (label: string) => valued(await read(label));
  const current = async () => (await labelled(AWSCURRENT)) ?? refuse("no-current", token);

  async function createSecret() {
    const described = await store.describe(secretId);
    if (decided(decide(described.versions[token], described.rotationEnabled), token) === "done") return "done";
    // What an earlier try wrote, its setSecret may have set: from there on the label moves, whatever the replicas do.
    if (described.laggingReplicas.length > 0 && !(await store.read(secretId, { version: token })))
      replicasBehind(described);
    const { text, value } = await current();
    const changes = await rotator.create(value, context);
    const next = rotator.format.write(text, changes);
    const written = await readSecretValue(next, "the pending version", rotator.schema, rotator.format).then(
      () => store.putPending(secretId, token, next, event.rotationToken),
      (refused: unknown) => ({ refused }),
    );
    if (written === "written") return "ran";
    await discard(changes, value);
    if (written !== "exists") throw written.refused;
    context.log.info("The pending version has a value already: an earlier try wrote it, and it is kept");
    return "ran";
  }

  async function discard(unused: Changes, value: S): Promise<void> {
    if (!rotator.discard) return;
    await attempt(async () => {
      const kept = await store.read(secretId, { version: token });
      // A service that is asked again for a key may have given the one that the pending version holds.
      if (kept && rotator.format.write(kept.text, unused) === kept.text) return;
      await rotator.discard?.(unused, value, context);
    }, "The credentials that this try made for nothing could not be discarded: they stay valid");
  }

  async function pendingVersion(): Promise<"done" | S> {
    const version = await store.read(secretId, { version: token });
    if (!version) return refuse("no-value", token);
    return decided(decide(version.labels), token) === "done" ? "done" : valid(version, "the pending version");
  }

  async function setSecret() {
    // In this order: a rotation that takes this one's place takes its label first, so what that one sets is never taken for what is replaced here.
    const before = await read(AWSCURRENT);
    const pending = await pendingVersion();
    if (pending === "done") return "done";
    const { id, value } = (await valued(before)) ?? refuse("no-current", token);
    const afterwards = await rotator.set(
      { current: value, pending, previous: async () => (await labelled(AWSPREVIOUS))?.value },
      context,
    );
    if (earlyPromotion && afterwards === "refused") {
      await rotator.test(pending, context);
      await promote({ label: AWSCURRENT, to: token, from: id });
    }
    return "ran";
  }

  async function testSecret() {
    const pending = await pendingVersion();
    if (pending === "done") return "done";
    await rotator.test(pending, context);
    return "ran";
  }

  async function finishSecret() {
    const described = await inSync(await store.describe(secretId));
    const next = finishMove(described.versions, token);
    if (next.is === "move") await promote(next.move);
    else decided(next, token);
    // Also where an earlier try moved the label: it may have been killed before it retired anything.
    await retire();
    return next.is === "move" ? "ran" : "done";
  }

  async function promote(move: LabelMove): Promise<void> {
    if ((await store.move(secretId, move)) === "moved") return;
    // The call may have been answered to a try whose answer was lost, so what counts is where the label is now.
    const next = finishMove((await store.describe(secretId)).versions, token);
    if (next.is === "move") refuse(next.move.from === move.from ? "unmovable" : "superseded", token);
    else decided(next, token);
  }

  /** Waits a little for replicas; then the label moves all the same, since the database has its new password already. */
  async function inSync(described: DescribedSecret): Promise<DescribedSecret> {
    const until = Date.now() + Math.min(5_000, context.deadline.share());
    let latest = described;
    while (latest.laggingReplicas.length > 0 && Date.now() < until) {
      await sleep(500);
      latest = await store.describe(secretId);
    }
    if (latest.laggingReplicas.length > 0) {
      context.log.warn("A replica is not in sync: its readers get the previous credentials until it is", {
        replicas: latest.laggingReplicas.map(({ region, status }) => `${region} ${status}`),
      });
    }
    return latest;
  }

  async function retire(): Promise<void> {
    if (!rotator.retire) return;
    await attempt(async () => {
      // In this order: what is AWSPREVIOUS when it is read was replaced by this version, or by a later one, which retires it itself.
      const { id, value } = await current();
      if (id !== token) return;
      const previous = await labelled(AWSPREVIOUS);
      if (previous && previous.id !== token)
        await rotator.retire?.({ current: value, previous: previous.value }, context);
    }, "The previous credentials could not be retired: they stay valid until the next rotation");
  }

  /** What is desirable and undoes nothing if it fails. */
  async function attempt(action: () => Promise<void>, failure: string): Promise<void> {
    try {
      await action();
    } catch (error) {
      context.log.warn(failure, { reason: error instanceof Error ? error.message : String(error) });
    }
  }

  try {
    return await { createSecret, setSecret, testSecret, finishSecret }[event.step]();
  } catch (error) {
    throw asRotationError(error).at({ step: event.step, secretId });
  }
}

/** @throws RotationError where the version is not, or no longer, the one that is rotated in */
export async function requireStillPending({ secretId, token }: RotationEvent, store: SecretStore): Promise<void> {
  const { versions } = await store.describe(secretId);
  if (decided(decide(versions[token]), token) === "done") refuse("superseded", token);
}

function decided(decision: Decision, token: string): "run" | "done" {
  return decision.is === "refused" ? refuse(decision.why, token) : decision.is;
}

function replicasBehind({ laggingReplicas }: DescribedSecret): never {
  const list = laggingReplicas.map(({ region, status }) => `${region}: ${status}`).join(", ");
  throw new RotationError(
    "replica-behind",
    `The secret's replicas are not in sync (${list})`,
    "This try changed nothing. Repair the replication (see the replica's status message), or remove the replica; the service tries the rotation again.",
  );
}

function refuse(why: Refusal | "no-value" | "no-current" | "unmovable", token: string): never {
  switch (why) {
    case "not-enabled":
      throw new RotationError(
        "not-enabled",
        "Rotation is off for this secret",
        "This try changed nothing. It was cancelled or never configured: turn it on with RotateSecret.",
      );
    case "not-staged":
      throw new RotationError(
        "not-staged",
        `Version ${token} is not staged AWSPENDING`,
        "The rotation was abandoned, or the token is of another secret. If its setSecret ran, the database may have this version's password: see which version logs in and make that one AWSCURRENT; then start a new rotation with RotateSecret.",
      );
    case "no-value":
      throw new RotationError(
        "not-staged",
        `Version ${token} does not exist or has no value`,
        "createSecret must succeed first, with the same token. Start a new rotation with RotateSecret.",
      );
    case "no-current":
      throw new RotationError(
        "bad-secret",
        "No version of the secret has the label AWSCURRENT",
        "Store the credentials that work now with PutSecretValue, then rotate again.",
      );
    case "unmovable":
      throw new RotationError(
        "service",
        `Secrets Manager did not move AWSCURRENT to version ${token}`,
        "The database has the pending password already. The service tries again; if it cannot, move the label with UpdateSecretVersionStage.",
      );
    case "superseded":
      throw new RotationError(
        "superseded",
        `AWSCURRENT was moved by somebody else while version ${token} was rotated in`,
        "Check which version's credentials the database accepts before anything else is changed, then start a new rotation.",
      );
  }
}
