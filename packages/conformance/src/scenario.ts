import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { CreateSecretCommand, RotateSecretCommand } from "@aws-sdk/client-secrets-manager";
import { type ErrorCode, type Step, steps } from "@quarterturn/core";
import type { LocalEvent, RotationEvent } from "@quarterturn/local";
import type { Point } from "./effects.ts";
import type { ConformanceOptions } from "./harness.ts";
import type { ThrownError } from "./invocation.ts";
import type { Lane } from "./lane.ts";
import { type Operator, operatorOf, type Which } from "./operator.ts";
import { mustBeDone, mustFail } from "./outcomes.ts";
import type { Outcome } from "./rotator-process.ts";
import { leavesOf } from "./secret-text.ts";
import type { Service, ServiceHabit } from "./service.ts";
import type { Account, Address, LoginResult, SecretObject, Target } from "./target.ts";

/** How a scenario's account and secret differ from the usual. */
export interface Wish {
  readonly name?: string;
  readonly password?: string;
  /** What is stored for the account; if absent its JSON, or its password where the secret is plain text. */
  readonly text?: (secret: SecretObject) => string | Uint8Array;
  /** multi-user: what is stored for the admin; undefined stores nothing, and `masterarn` names a secret that does not exist. */
  readonly adminText?: (admin: SecretObject) => string | undefined;
  readonly habit?: ServiceHabit;
}

/** What the secrets and credentials of the suite are. */
type Kind = Pick<ConformanceOptions, "text" | "credentials">;

/** A rotation that the suite runs step by step. */
export interface Rotation {
  readonly token: string;
  readonly rotationToken: string;
}

/** Everything that a rotator may change, as it is now. */
export interface State {
  readonly labels: Readonly<Record<string, readonly string[]>>;
  readonly values: Readonly<Record<string, string>>;
  readonly logins: Readonly<Record<string, LoginResult>>;
}

/** Milliseconds that an invocation gets where a case does not say otherwise. */
const patience = 20_000;

/** A fresh account, its secret, and the function that rotates it. Nothing is shared with other scenarios but the server. */
export class Scenario {
  readonly secretId: string;
  readonly account: Account;
  readonly operator: Operator;
  readonly lane: Lane;
  readonly target: Target;
  /** What the function wrote: its output streams and errors. */
  readonly written: string[] = [];
  readonly #at: Address;
  readonly #service: Service;
  readonly #others: Account[] = [];
  readonly #rotationTokens: string[] = [];
  readonly #text: "json" | "plain";
  readonly #isIssued: boolean;

  private constructor(
    lane: Lane,
    target: Target,
    service: Service,
    at: Address,
    account: Account,
    secretId: string,
    { text = "json", credentials }: Kind,
  ) {
    this.#text = text;
    this.#isIssued = credentials === "issued";
    this.lane = lane;
    this.target = target;
    this.#service = service;
    this.#at = at;
    this.account = account;
    this.secretId = secretId;
    this.operator = operatorOf(service.client, secretId);
  }

  static async open(lane: Lane, target: Target, service: Service, wish: Wish, kind: Kind): Promise<Scenario> {
    lane.api.forget();
    lane.api.play(undefined);
    lane.api.forwardTo(service.endpoint.url);
    lane.database.forget();
    lane.database.forwardTo(target.reachedAt ?? target.address);
    await lane.database.play(undefined);
    const at = { host: target.address.host, port: lane.database.port };
    const { name, password } = wish;
    const account = await target.createAccount({ at, ...(name ? { name } : {}), ...(password ? { password } : {}) });
    const store = async (kind: string, value: { SecretString: string } | { SecretBinary: Uint8Array }) => {
      const created = await service.client.send(
        new CreateSecretCommand({ Name: `conformance/${kind}/${randomUUID()}`, ...value }),
      );
      return created.ARN ?? "";
    };
    let secret = account.secret;
    if (account.adminSecret) {
      const adminText = (wish.adminText ?? JSON.stringify)(account.adminSecret);
      const masterarn = adminText === undefined ? missingSecret : await store("admin", { SecretString: adminText });
      secret = { ...secret, masterarn };
    }
    const stored = wish.text?.(secret) ?? written(secret, kind.text);
    const value = typeof stored === "string" ? { SecretString: stored } : { SecretBinary: stored };
    return new Scenario(lane, target, service, at, { ...account, secret }, await store("user", value), kind);
  }

  /** Begins a rotation whose steps the suite runs: the pending version has no value yet. */
  async startRotation(): Promise<Rotation> {
    const invoked = Promise.withResolvers<RotationEvent>();
    this.#service.functions.set(this.secretId, async (event) => {
      invoked.resolve(event);
      throw new Error("The suite runs the steps of this rotation itself");
    });
    await this.#rotateSecret(true);
    const { ClientRequestToken: token, RotationToken: rotationToken } = await invoked.promise;
    await this.#service.endpoint.settled(this.secretId);
    this.#rotationTokens.push(rotationToken);
    return { token, rotationToken };
  }

  /** Has the service itself run a rotation, retries included. @returns what it logged about it */
  async rotateByService(
    options: { immediately?: boolean; killAt?: { step: Step; point: Point } } = {},
  ): Promise<readonly LocalEvent[]> {
    let { killAt } = options;
    this.#service.functions.set(this.secretId, async (event) => {
      this.#rotationTokens.push(event.RotationToken);
      const isKilled = killAt?.step === event.Step;
      const outcome = await this.#invoke(event, patience, isKilled ? killAt?.point : undefined);
      if (isKilled) killAt = undefined;
      mustBeDone(outcome, event.Step);
    });
    const seen = this.#service.endpoint.events.length;
    await this.#rotateSecret(options.immediately ?? true);
    await this.#service.endpoint.settled(this.secretId);
    return this.#service.endpoint.events.slice(seen).filter((event) => event.secretArn === this.secretId);
  }

  /** Everything that the service logged about this secret. */
  get events(): readonly LocalEvent[] {
    return this.#service.endpoint.events.filter((event) => event.secretArn === this.secretId);
  }

  /** Runs one step in the rotator's process. */
  run(step: Step, rotation: Rotation, options: { remainingMs?: number; point?: Point } = {}): Promise<Outcome> {
    const event = {
      Step: step,
      SecretId: this.secretId,
      ClientRequestToken: rotation.token,
      RotationToken: rotation.rotationToken,
    };
    return this.#invoke(event, options.remainingMs ?? patience, options.point);
  }

  /** Sends any event at all. */
  send(event: unknown): Promise<Outcome> {
    return this.#invoke(event, patience);
  }

  /** Runs steps, each of which must succeed. */
  async succeed(rotation: Rotation, which: readonly Step[] = steps): Promise<void> {
    for (const step of which) mustBeDone(await this.run(step, rotation), step);
  }

  /** Runs a step that must fail with one of the codes, and change nothing. */
  async refuse(
    step: Step,
    rotation: Rotation,
    codes: readonly ErrorCode[],
    options: { remainingMs?: number; what?: string } = {},
  ): Promise<ThrownError> {
    const what = options.what ? `${step} (${options.what})` : step;
    return this.unchanged(what, async () => mustFail(await this.run(step, rotation, options), what, codes));
  }

  /** Whatever the action does, labels, values and logins must be the same before and after. */
  async unchanged<T>(what: string, action: () => Promise<T>): Promise<T> {
    const before = await this.state();
    const result = await action();
    assert.deepEqual(await this.state(), before, `${what} changed something`);
    return result;
  }

  /**
   * A rotation whose pending value somebody else wrote: what createSecret would write, changed. Connections are counted from there on, and
   * there must have been none, unless createSecret has a key issued.
   */
  async startRotationTo(change: (next: SecretObject) => string): Promise<Rotation> {
    const draft = await this.startRotation();
    await this.succeed(draft, ["createSecret"]);
    const next = await this.value({ version: draft.token });
    await this.operator.move("AWSPENDING");
    const rotation = await this.startRotation();
    await this.operator.put(change(next), rotation);
    if (this.#isIssued) this.lane.database.forget();
    assert.equal(this.lane.database.connections, 0, "createSecret connected: nothing may be sent to the database");
    return rotation;
  }

  /** A second account, which no rotation of this secret may touch. */
  async bystander(name?: string): Promise<SecretObject> {
    const account = await this.target.createAccount({ at: this.#at, ...(name ? { name } : {}) });
    this.#others.push(account);
    return account.secret;
  }

  /** Takes its accounts away, where the target does. */
  async close(): Promise<void> {
    for (const account of [this.account, ...this.#others]) await this.target.removeAccount?.(account);
  }

  /** The value of a version as an object. */
  async value(which: Which): Promise<SecretObject> {
    const text = await this.operator.text(which);
    assert.ok(text !== undefined, `There is no value of ${JSON.stringify(which)}`);
    return this.#text === "plain" ? { password: text } : (JSON.parse(text) as SecretObject);
  }

  /** How a version of this secret is written. */
  textOf(secret: SecretObject): string {
    return written(secret, this.#text);
  }

  async login(which: Which): Promise<LoginResult> {
    return this.target.login(await this.value(which));
  }

  /** @throws AssertionError unless the version's credentials log in and are as good as the account's */
  async mustLogIn(which: Which, when: string): Promise<void> {
    assert.equal(await this.login(which), "accepted", `${Object.values(which)[0]} must log in ${when}`);
  }

  /** The rotation has ended as it should: its version is AWSCURRENT and logs in. */
  async mustHaveFinished(rotation: Rotation, when: string): Promise<void> {
    assert.equal(
      await this.operator.holder("AWSCURRENT"),
      rotation.token,
      `AWSCURRENT must be the token's version ${when}`,
    );
    await this.mustLogIn({ version: rotation.token }, when);
    await this.mustHaveLeftNothing(when);
  }

  /** What a step made for its own time is gone. */
  async mustHaveLeftNothing(when: string): Promise<void> {
    assert.deepEqual((await this.target.leftovers?.(this.secretId)) ?? [], [], `Something was left behind ${when}`);
  }

  async state(): Promise<State> {
    const [labels, values] = await Promise.all([this.operator.labels(), this.operator.values()]);
    const known: readonly (readonly [string, unknown])[] = [
      ...Object.entries(values).map(
        ([id, text]) => [`version ${id}`, this.#text === "plain" ? { password: text } : objectIn(text)] as const,
      ),
      ...[this.account, ...this.#others].map(({ secret }, index) => [`account ${index}`, secret] as const),
    ];
    const isNamed = this.#text === "json" && "username" in this.account.secret;
    const logins: Record<string, LoginResult> = {};
    for (const [name, secret] of known) if (isLogin(secret, isNamed)) logins[name] = await this.target.login(secret);
    return { labels, values, logins };
  }

  /** Every value that no log may show. */
  async secrets(): Promise<readonly string[]> {
    const texts = Object.values(await this.operator.values());
    const objects = [this.account, ...this.#others].flatMap(({ secret, adminSecret }) => [secret, adminSecret ?? {}]);
    return [
      ...this.#rotationTokens,
      ...[...texts, ...objects.map((object) => JSON.stringify(object))].flatMap(leavesOf),
    ];
  }

  async #invoke(event: unknown, remainingMs: number, point?: Point): Promise<Outcome> {
    const outcome = await this.lane.invoke(event, remainingMs, point);
    this.written.push(outcome.output);
    if (outcome.is === "failed") this.written.push(outcome.error.message, outcome.error.stack);
    return outcome;
  }

  async #rotateSecret(immediately: boolean): Promise<void> {
    await this.#service.client.send(
      new RotateSecretCommand({
        SecretId: this.secretId,
        RotationLambdaARN: this.#service.functionArn,
        RotationRules: { AutomaticallyAfterDays: 30 },
        RotateImmediately: immediately,
      }),
    );
  }
}

/** How an account's secret is written with another password: a wish's `text`. */
export function withPassword({ text }: Pick<Kind, "text">, password: unknown) {
  return (secret: SecretObject): string => written({ ...secret, password }, text);
}

const missingSecret = "arn:aws:secretsmanager:us-east-1:000000000000:secret:no-such-admin-AbCdEf";

function written(secret: SecretObject, text: "json" | "plain" = "json"): string {
  return text === "plain" ? String(secret.password) : JSON.stringify(secret);
}

function objectIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A version that a case wrote badly on purpose holds no credentials to try.
    return undefined;
  }
}

function isLogin(secret: unknown, isNamed: boolean): secret is SecretObject {
  const { username, password } = (secret ?? {}) as Record<string, unknown>;
  const hasName = !isNamed || (typeof username === "string" && username !== "");
  return hasName && typeof password === "string" && password !== "";
}
