import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { validationFailed } from "../service-error.ts";
import type { BoundStatement, Parameter } from "./parameters.ts";
import type { Warehouse, WarehouseLogin, WarehouseResult, WarehouseSession } from "./warehouse.ts";

/** https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_DescribeStatement.html */
type Status = "SUBMITTED" | "PICKED" | "STARTED" | "FINISHED" | "FAILED" | "ABORTED";

/** One SQL statement: what ExecuteStatement sent, or one of a batch. Times are milliseconds since 1970. */
export interface Run {
  readonly id: string;
  /** As it was sent. */
  readonly sql: string;
  readonly createdAt: number;
  updatedAt: number;
  status: Status;
  startedAt?: number;
  error?: string;
  result?: WarehouseResult;
}

/** What a caller of the API submits. */
export interface Submission {
  /** Where it goes. */
  readonly at: Omit<WarehouseLogin, "username" | "password">;
  /** As whom, with the credentials of the secret. @throws ValidationException */
  readonly login: () => Promise<WarehouseLogin>;
  readonly secretArn: string;
  readonly statements: readonly string[];
  readonly bound: readonly BoundStatement[];
  readonly parameters: readonly Parameter[];
  readonly isBatch: boolean;
}

/** A submitted statement, or a batch of them, which is one transaction. */
export class Statement {
  readonly submission: Submission;
  readonly whole: Run;
  /** Of a batch, with ids `ID:1`, `ID:2` ...; else the whole alone. */
  readonly parts: readonly Run[];
  readonly #done: Promise<void>;
  #session: WarehouseSession | undefined;
  #isCancelled = false;

  /** Begins to run when the caller has its answer. */
  constructor(submission: Submission, warehouse: Warehouse) {
    const id = randomUUID();
    this.submission = submission;
    this.whole = submitted(id, submission.isBatch ? "" : (submission.statements[0] ?? ""));
    this.parts = submission.isBatch
      ? submission.statements.map((sql, index) => submitted(`${id}:${index + 1}`, sql))
      : [this.whole];
    this.#done = new Promise((resolve) => setImmediate(() => void this.#execute(warehouse).finally(resolve)));
  }

  get isActive(): boolean {
    return ["SUBMITTED", "PICKED", "STARTED"].includes(this.whole.status);
  }

  /** Resolves when it has ended, or after so many seconds. */
  async wait(seconds = 0): Promise<void> {
    if (!this.isActive || seconds === 0) return;
    const timer = new AbortController();
    const patience = sleep(seconds * 1000, undefined, { signal: timer.signal, ref: false });
    // Stopped when the statement has ended; that it then rejects means nothing.
    patience.catch(() => undefined);
    await Promise.race([this.#done, patience]);
    timer.abort();
  }

  /** It ends as ABORTED, unless it has ended by itself when the cancellation arrives. @throws ValidationException */
  async cancel(): Promise<void> {
    if (!this.isActive) {
      throw validationFailed(
        `Could not cancel a query that is already in ${this.whole.status} state with ID: ${this.whole.id}`,
      );
    }
    this.#isCancelled = true;
    await this.#session?.cancel();
  }

  async #execute(warehouse: Warehouse): Promise<void> {
    try {
      move(this.whole, "PICKED");
      this.#session = await warehouse.connect(await this.submission.login());
    } catch (error) {
      this.#end(this.whole, error);
      return;
    }
    try {
      move(this.whole, "STARTED");
      await this.#runParts(this.#session);
    } finally {
      await this.#session.close();
    }
  }

  async #runParts(session: WarehouseSession): Promise<void> {
    const { bound, isBatch } = this.submission;
    let current = this.whole;
    try {
      if (isBatch) await session.run("BEGIN", []);
      for (const [index, part] of this.parts.entries()) {
        current = part;
        if (this.#isCancelled) throw new Error("Query was cancelled before it was run");
        move(part, "STARTED");
        const { sql, values } = bound[index] as BoundStatement;
        part.result = await session.run(sql, values);
        if (isBatch) move(part, "FINISHED");
      }
      current = this.whole;
      if (isBatch) await session.run("COMMIT", []);
      move(this.whole, "FINISHED");
    } catch (error) {
      this.#end(current, error);
    }
  }

  /** A failed statement of a batch fails the batch, and those after it are not run. */
  #end(run: Run, error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    const status = this.#isCancelled ? "ABORTED" : "FAILED";
    const number = this.parts.indexOf(run) + 1;
    for (const part of this.parts) if (part.status !== "FINISHED") move(part, part === run ? status : "ABORTED");
    run.error = message;
    this.whole.error = run === this.whole ? message : `Query #${number} failed with ${message}`;
    move(this.whole, status);
  }
}

function submitted(id: string, sql: string): Run {
  const now = Date.now();
  return { id, sql, createdAt: now, updatedAt: now, status: "SUBMITTED" };
}

function move(run: Run, status: Status): void {
  run.status = status;
  run.updatedAt = Date.now();
  if (status === "STARTED") run.startedAt = run.updatedAt;
}
