/**
 * The label state machine: every decision about staging labels, as pure functions over what DescribeSecret or GetSecretValue said.
 *
 * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html#term_version
 */

export const AWSCURRENT = "AWSCURRENT";
export const AWSPENDING = "AWSPENDING";
export const AWSPREVIOUS = "AWSPREVIOUS";

/** Version ids to their labels, as DescribeSecret's VersionIdsToStages. */
export type VersionLabels = Readonly<Record<string, readonly string[]>>;

/** Why a step is refused: rotation is off; the version is not waiting to be rotated in; it was current and is no longer. */
export type Refusal = "not-enabled" | "not-staged" | "superseded";

/** What to do with a step: run it, nothing (the version is AWSCURRENT: an earlier try finished), or refuse it. */
export type Decision =
  | { readonly is: "run" }
  | { readonly is: "done" }
  | { readonly is: "refused"; readonly why: Refusal };

/**
 * What to do with a step of the version that the event's token names.
 *
 * @param labels the labels of that version; undefined where no such version is known
 * @param rotationEnabled what DescribeSecret said, where it was asked; the service leaves it out when it was never configured.
 *   Only createSecret asks: once the database may have been changed, a cancelled rotation must still be brought to its end.
 */
export function decide(labels: readonly string[] | undefined, rotationEnabled?: boolean): Decision {
  if (labels?.includes(AWSCURRENT)) return { is: "done" };
  if (rotationEnabled === false) return { is: "refused", why: "not-enabled" };
  if (labels?.includes(AWSPENDING)) return { is: "run" };
  return { is: "refused", why: labels?.includes(AWSPREVIOUS) ? "superseded" : "not-staged" };
}

/** The version that holds a label, or undefined; a label is on one version at most. */
export function versionWith(versions: VersionLabels, label: string): string | undefined {
  return Object.keys(versions).find((id) => versions[id]?.includes(label));
}

/** One call of UpdateSecretVersionStage; `from` (RemoveFromVersionId) makes it a compare-and-swap. */
export interface LabelMove {
  readonly label: string;
  readonly to: string;
  readonly from: string;
}

/**
 * What finishSecret does: move AWSCURRENT from the version that has it to the token's. AWSPREVIOUS follows by itself, and the service
 * takes AWSPENDING off later. A secret without AWSCURRENT is refused as superseded: there is nothing to swap with.
 */
export function finishMove(
  versions: VersionLabels,
  token: string,
): { readonly is: "move"; readonly move: LabelMove } | Exclude<Decision, { is: "run" }> {
  const decision = decide(versions[token]);
  if (decision.is !== "run") return decision;
  const from = versionWith(versions, AWSCURRENT);
  if (from === undefined) return { is: "refused", why: "superseded" };
  return { is: "move", move: { label: AWSCURRENT, to: token, from } };
}

/**
 * The version that a rotation has not finished bringing in: it holds AWSPENDING and is not AWSCURRENT's. While there is one, the service
 * refuses to begin another rotation.
 *
 * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html
 */
export function unfinishedVersion(versions: VersionLabels): string | undefined {
  const pending = versionWith(versions, AWSPENDING);
  return pending !== undefined && !versions[pending]?.includes(AWSCURRENT) ? pending : undefined;
}

/** One call of UpdateSecretVersionStage by an operator: without `to` it takes the label off, without `from` no version had it. */
export type LabelChange = Omit<LabelMove, "to" | "from"> & Partial<Pick<LabelMove, "to" | "from">>;

/**
 * What gives a label to a version: the calls, in order; none where it has it. AWSPENDING that a finished rotation left on AWSCURRENT's
 * version goes before AWSCURRENT leaves it: it would count as a rotation that is not finished, which refuses others and comes back.
 */
export function changesTo(versions: VersionLabels, label: string, to: string): readonly LabelChange[] {
  const from = versionWith(versions, label);
  if (from === to) return [];
  const leftOver = label === AWSCURRENT && from !== undefined && versions[from]?.includes(AWSPENDING);
  return [...(leftOver ? [{ label: AWSPENDING, from }] : []), { label, to, ...(from === undefined ? {} : { from }) }];
}

/** The four states that an operator sees. */
export type RotationState = "NOT_CONFIGURED" | "CONFIGURED_NOT_ROTATING" | "ROTATION_IN_PROGRESS" | "ROTATION_FAILED";

/**
 * The state that an operator reads from DescribeSecret. The service does not say "failed": a rotation whose AWSPENDING is not on
 * AWSCURRENT's version has either not finished yet or will not. It counts as failed when rotation is off, or when nothing has
 * changed for longer than `patienceMs`.
 *
 * @param described what DescribeSecret said; `lastChanged` is LastChangedDate
 * @param now the time of the question
 * @param patienceMs how long a rotation may take, retries included, in milliseconds
 */
export function rotationState(
  described: { rotationEnabled?: boolean | undefined; versions: VersionLabels; lastChanged?: Date | undefined },
  now: Date,
  patienceMs: number,
): RotationState {
  if (unfinishedVersion(described.versions) !== undefined) {
    const since = described.lastChanged?.getTime() ?? 0;
    return described.rotationEnabled && now.getTime() - since <= patienceMs
      ? "ROTATION_IN_PROGRESS"
      : "ROTATION_FAILED";
  }
  return described.rotationEnabled ? "CONFIGURED_NOT_ROTATING" : "NOT_CONFIGURED";
}
