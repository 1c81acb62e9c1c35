/** A version as far as its staging labels are concerned. */
export interface Labelled {
  readonly id: string;
  readonly labels: readonly string[];
}

/** The version that holds a label. A label is attached to one version at most. */
export function holderOf<V extends Labelled>(versions: readonly V[], label: string): V | undefined {
  return versions.find((version) => version.labels.includes(label));
}

/**
 * A rotation is in progress while AWSPENDING is on a version that is not AWSCURRENT's
 * (https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html).
 */
export function rotationInProgress(versions: readonly Labelled[]): boolean {
  const pending = holderOf(versions, "AWSPENDING");
  return pending !== undefined && !pending.labels.includes("AWSCURRENT");
}

/**
 * Moves a label to a version, from wherever it is. When AWSCURRENT moves, AWSPREVIOUS moves to the version
 * that it leaves. No other label moves: a promoted version keeps its AWSPENDING
 * (https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecretVersionStage.html).
 */
export function attachLabel<V extends Labelled>(versions: readonly V[], label: string, versionId: string): V[] {
  const left = holderOf(versions, label);
  const moved = detachLabel(versions, label).map((version) =>
    version.id === versionId ? withLabels(version, [...version.labels, label]) : version,
  );
  return label === "AWSCURRENT" && left !== undefined && left.id !== versionId
    ? attachLabel(moved, "AWSPREVIOUS", left.id)
    : moved;
}

/** Takes a label away from whichever version has it. */
export function detachLabel<V extends Labelled>(versions: readonly V[], label: string): V[] {
  return versions.map((version) =>
    version.labels.includes(label)
      ? withLabels(
          version,
          version.labels.filter((held) => held !== label),
        )
      : version,
  );
}

/**
 * Gives the labels that a new value asks for. A new value that takes AWSCURRENT ends a rotation in progress:
 * AWSPENDING is removed (https://docs.aws.amazon.com/secretsmanager/latest/userguide/cloudtrail_log_entries.html,
 * RotationAbandoned).
 */
export function attachLabelsOfNewValue<V extends Labelled>(
  versions: readonly V[],
  labels: readonly string[],
  versionId: string,
): V[] {
  const cleared = labels.includes("AWSCURRENT") ? detachLabel(versions, "AWSPENDING") : [...versions];
  return labels.reduce((moved, label) => attachLabel(moved, label, versionId), cleared);
}

/**
 * Drops the oldest versions without a label, until at most `limit` versions are left. Versions are ordered from
 * old to new (https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html).
 */
export function dropOldestDeprecated<V extends Labelled>(versions: readonly V[], limit: number): V[] {
  let surplus = versions.length - limit;
  return versions.filter((version) => version.labels.length > 0 || surplus-- <= 0);
}

function withLabels<V extends Labelled>(version: V, labels: readonly string[]): V {
  return { ...version, labels: [...labels].sort() };
}
