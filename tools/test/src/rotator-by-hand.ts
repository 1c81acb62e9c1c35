import { deadlineOf, jsonLog, type RotationContext } from "@quarterturn/core";
import type { DatabaseSecret, singleUser } from "@quarterturn/database";

/** A rotator of databases, of either strategy. */
type DatabaseRotator = ReturnType<typeof singleUser>;

/** A context whose log can be read. */
export type RecordedContext = RotationContext & { readonly lines: string[] };

/** A context as the Lambda adapter makes it, whose only other secret has this value. */
export function recordedContext(otherSecret: object): RecordedContext {
  const lines: string[] = [];
  return {
    lines,
    secretId: "arn:secret",
    token: "token",
    deadline: deadlineOf(() => 20_000),
    log: jsonLog((line) => lines.push(line), "DEBUG", {}, String),
    readSecret: async () => JSON.stringify(otherSecret),
    describeSecret: async () => ({ tags: {} }),
    requirePending: async () => undefined,
  };
}

export interface RotatorByHand<Fixture> {
  /** @param more keys of the admin's secret */
  contextOf(fixture: Fixture, more?: object): RecordedContext;
  /** The next version of a secret, as createSecret makes it; of the single-user strategy, if nothing else is said. */
  successor(current: DatabaseSecret, rotator?: DatabaseRotator): Promise<DatabaseSecret>;
  /** One multi-user rotation: the secret that is current afterwards. */
  alternate(
    fixture: Fixture,
    current: DatabaseSecret,
    context?: RotationContext,
    previous?: DatabaseSecret,
    next?: DatabaseSecret,
  ): Promise<DatabaseSecret>;
}

/** What tests call an engine's rotators with, where no Secrets Manager is needed. */
export function rotatorByHand<Fixture>(
  adminSecretOf: (fixture: Fixture) => object,
  single: () => DatabaseRotator,
  multi: () => DatabaseRotator,
): RotatorByHand<Fixture> {
  const contextOf = (fixture: Fixture, more: object = {}) => recordedContext({ ...adminSecretOf(fixture), ...more });
  const successor = async (current: DatabaseSecret, rotator = single()) => ({
    ...current,
    ...(await rotator.create(current, recordedContext({}))),
  });
  return {
    contextOf,
    successor,
    async alternate(fixture, current, context = contextOf(fixture), previous, next) {
      const pending = next ?? (await successor(current, multi()));
      await multi().set({ current, pending, previous: async () => previous }, context);
      await multi().test(pending, context);
      return pending;
    },
  };
}
