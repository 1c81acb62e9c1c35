import { devNull } from "node:os";
import { type ApiProxy, startApiProxy } from "./api-proxy.ts";
import { type DatabaseProxy, startDatabaseProxy } from "./database-proxy.ts";
import { EffectMeter, type Point } from "./effects.ts";
import { type Outcome, RotatorProcess } from "./rotator-process.ts";
import type { Address } from "./target.ts";

/** What one case uses at a time: two proxies, and the function's warm processes behind them. */
export class Lane implements AsyncDisposable {
  readonly api: ApiProxy;
  readonly database: DatabaseProxy;
  readonly meter: EffectMeter;
  readonly #start: () => RotatorProcess;
  #idle: RotatorProcess[] = [];
  readonly #living = new Set<RotatorProcess>();

  private constructor(meter: EffectMeter, api: ApiProxy, database: DatabaseProxy, start: () => RotatorProcess) {
    this.meter = meter;
    this.api = api;
    this.database = database;
    this.#start = start;
  }

  /**
   * @param host the name that secrets have for the database's proxy
   * @param env what the rotator's process gets beside the endpoint and dummy credentials of AWS, by the address that secrets have
   */
  static async open(handler: URL, host: string, env: (at: Address) => Readonly<Record<string, string>>): Promise<Lane> {
    const meter = new EffectMeter();
    const api = await startApiProxy(meter);
    const database = await startDatabaseProxy(meter);
    const whole = { ...lambdaEnvironment(api.url), ...env({ host, port: database.port }) };
    return new Lane(meter, api, database, () => new RotatorProcess(handler, whole));
  }

  /**
   * Runs the handler once, in a process of its own if others are busy.
   *
   * @param point where the process is killed; then a spare one is kept, so that the next invocation finds it warm
   */
  async invoke(event: unknown, remainingMs: number, point?: Point): Promise<Outcome> {
    const process = this.#idle.pop() ?? this.#fork();
    this.meter.start(point, () => process.kill());
    if (point && this.#idle.length === 0) this.#idle.push(this.#fork());
    const outcome = await process.invoke(event, remainingMs);
    this.meter.disarm();
    if (outcome.is === "done" || outcome.is === "failed") this.#idle.push(process);
    else this.#living.delete(process);
    return outcome;
  }

  /** Resolves when so many processes wait for an event, so that their invocations begin at the same time. */
  async warm(count: number): Promise<void> {
    while (this.#idle.length < count) this.#idle.push(this.#fork());
    await Promise.all(this.#idle.map((process) => process.ready));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#living].map((process) => process.kill()));
    await this.api[Symbol.asyncDispose]();
    await this.database[Symbol.asyncDispose]();
  }

  #fork(): RotatorProcess {
    const process = this.#start();
    this.#living.add(process);
    return process;
  }
}

/** What Lambda would set. Nothing of this process's own environment is handed on but where programs and temporary files are. */
function lambdaEnvironment(endpoint: string): Record<string, string> {
  return {
    PATH: process.env.PATH ?? "",
    TMPDIR: process.env.TMPDIR ?? "/tmp",
    AWS_REGION: "us-east-1",
    AWS_DEFAULT_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "conformance",
    AWS_SECRET_ACCESS_KEY: "conformance",
    AWS_CONFIG_FILE: devNull,
    AWS_SHARED_CREDENTIALS_FILE: devNull,
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_LAMBDA_FUNCTION_NAME: "conformance",
    SECRETS_MANAGER_ENDPOINT: endpoint,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: endpoint,
    LOG_LEVEL: "DEBUG",
  };
}
