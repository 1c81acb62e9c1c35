/** Where a process is killed: at which effect of an invocation (from 0), before it happens or after it did. */
export interface Point {
  readonly effect: number;
  readonly when: "before" | "after";
}

/**
 * Counts what one process does to the outside, in the order in which it reaches the two proxies, and says when the process must die.
 * An effect is a request to Secrets Manager, or a turn of a client towards the database.
 */
export class EffectMeter {
  #effects: string[] = [];
  #point: Point | undefined;
  #kill: () => Promise<void> = nobody;

  /** Counts from zero; at the point `kill` is called, which resolves when the process is dead. */
  start(point: Point | undefined, kill: () => Promise<void>): void {
    this.#effects = [];
    this.#point = point;
    this.#kill = kill;
  }

  /** The invocation has ended: what still reaches a proxy is counted, and kills nobody. */
  disarm(): void {
    this.#point = undefined;
    this.#kill = nobody;
  }

  /** What happened since the start, by name. */
  get effects(): readonly string[] {
    return this.#effects;
  }

  /** Called by a proxy at each effect: whether the process must die before it or after it. */
  count(effect: string): Point["when"] | undefined {
    this.#effects.push(effect);
    return this.#point?.effect === this.#effects.length - 1 ? this.#point.when : undefined;
  }

  kill(): Promise<void> {
    return this.#kill();
  }
}

async function nobody(): Promise<void> {}
