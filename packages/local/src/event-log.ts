/** The names under which CloudTrail shows a rotation's course. */
export type RotationEventName =
  | "RotationStarted"
  | "RotationSucceeded"
  | "RotationFailed"
  | "RotationAbandoned"
  | "TestRotationStarted"
  | "TestRotationSucceeded"
  | "TestRotationFailed";

export type Step = "createSecret" | "setSecret" | "testSecret" | "finishSecret";

interface EventOfASecret {
  readonly time: Date;
  /** Absent where a call names no secret, or one that does not exist. */
  readonly secretArn?: string;
}

/** A call of the API. `name` is the operation; `errorCode` is there if it was refused. */
export interface ApiCallEvent extends EventOfASecret {
  readonly kind: "api-call";
  readonly name: string;
  readonly durationMs: number;
  readonly errorCode?: string;
}

/** A turn in a rotation's course. */
export interface RotationCourseEvent extends EventOfASecret {
  readonly kind: "rotation";
  readonly name: RotationEventName;
  readonly versionId: string;
  /** Why it failed or was abandoned, without secret values. */
  readonly message?: string;
  /** RotationFailed only: whether the rotation is tried again by itself. */
  readonly willRetry?: boolean;
}

/** A call of the rotation function, logged when it has answered. */
export interface InvocationEvent extends EventOfASecret {
  readonly kind: "invocation";
  readonly name: Step;
  readonly functionArn: string;
  readonly versionId: string;
  /** 1 for the first time that the rotation is tried. */
  readonly attempt: number;
  readonly durationMs: number;
  readonly outcome: "succeeded" | "failed";
  readonly errorType?: string;
  /** Without secret values. */
  readonly errorMessage?: string;
}

export type LocalEvent = ApiCallEvent | RotationCourseEvent | InvocationEvent;

type WithoutTime<E> = E extends LocalEvent ? Omit<E, "time"> : never;

export interface EventLog {
  readonly events: readonly LocalEvent[];
  add(event: WithoutTime<LocalEvent>): void;
  onEvent(listener: (event: LocalEvent) => void): () => void;
}

/** Old events are dropped, so that an endpoint that runs for weeks does not grow. */
const EVENTS_KEPT = 20_000;

export function eventLog(now: () => Date): EventLog {
  const events: LocalEvent[] = [];
  const listeners = new Set<(event: LocalEvent) => void>();
  return {
    events,
    add(event) {
      const timed: LocalEvent = { time: now(), ...event };
      events.push(timed);
      if (events.length > EVENTS_KEPT) events.shift();
      for (const listener of listeners) report(listener, timed);
    },
    onEvent(listener) {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
  };
}

/** A listener's error is its owner's: it surfaces as uncaught, and never as an answer of the service. */
function report(listener: (event: LocalEvent) => void, event: LocalEvent): void {
  try {
    listener(event);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
