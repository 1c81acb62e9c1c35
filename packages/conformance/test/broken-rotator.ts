/** Rotators of the in-memory system, each broken in one way: the variable FLAW says how. */
import { randomUUID } from "node:crypto";
import { appendFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  CreateSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from "@aws-sdk/client-secrets-manager";
import {
  type ErrorCode,
  type RotationContext,
  RotationError,
  type RotationHandler,
  type Rotator,
  rotationHandler,
} from "@quarterturn/core";
import { type Login, login } from "../examples/in-memory/account-client.ts";
import { multiUser } from "../examples/in-memory/multi-user.ts";
import { adminOf, rejected, type Secret } from "../examples/in-memory/secret.ts";
import { singleUser } from "../examples/in-memory/single-user.ts";
import { leftSecretName } from "./left-secret.ts";

const client = new SecretsManagerClient({ endpoint: process.env.SECRETS_MANAGER_ENDPOINT ?? "" });

interface Event {
  readonly Step: string;
  readonly SecretId: string;
  readonly ClientRequestToken: string;
  readonly RotationToken?: string;
}

async function sessionOf(to: Login, context: RotationContext) {
  const session = await login(to, context);
  if (session === "rejected") throw rejected(to);
  return session;
}

const setPassword = ({ username, password }: Login) => ({ do: "setPassword", username, password }) as const;

/** What a rotator does wrong. */
const rotators: Readonly<Record<string, Rotator<Secret>>> = {
  "keeps the password": { ...singleUser, create: async () => ({}) },

  "connects in createSecret": {
    ...singleUser,
    async create(current, context) {
      (await sessionOf(current, context)).close();
      return singleUser.create(current, context);
    },
  },

  "sets a password only once": {
    ...singleUser,
    async set({ current, pending }, context) {
      const session = await sessionOf(current, context);
      await session.ask(setPassword(pending));
      return "refused";
    },
  },

  "sets a wrong password first": {
    ...singleUser,
    async set(values, context) {
      const session = await login(values.current, context);
      if (session !== "rejected") await session.ask(setPassword({ ...values.current, password: randomUUID() }));
      if (session === "rejected") return singleUser.set(values, context);
      await session.ask(setPassword(values.pending));
      return "refused";
    },
  },

  "gives up at the third try": {
    ...singleUser,
    async set(values, context) {
      // The harness removes this folder.
      const tries = join(process.env.NODE_COMPILE_CACHE ?? "", context.token);
      await appendFile(tries, "I");
      if ((await readFile(tries, "utf8")).length > 2)
        throw new RotationError("not-staged", "This was tried before", "Give up.");
      return singleUser.set(values, context);
    },
  },

  "ignores AWSPREVIOUS": {
    ...singleUser,
    set: (values, context) => singleUser.set({ ...values, previous: async () => undefined }, context),
  },

  "uses whatever user AWSPREVIOUS names": {
    ...singleUser,
    async set(values, context) {
      const previous = await values.previous();
      const session = previous && (await login(previous, context));
      if (!session || session === "rejected") return singleUser.set(values, context);
      await session.ask(setPassword({ ...previous, password: values.pending.password }));
      return "refused";
    },
  },

  "touches whatever user is pending": { ...multiUser, set: setWithoutChecks },

  "sets the password of the user in use": {
    ...multiUser,
    set: (values, context) =>
      values.current.username === values.pending.username
        ? setWithoutChecks(values, context)
        : multiUser.set(values, context),
  },

  "changes the password of the user in use too": {
    ...multiUser,
    async set(values, context) {
      const session = await sessionOf(values.current, context);
      await multiUser.set(values, context);
      await session.ask(setPassword({ ...values.current, password: randomUUID() }));
      return "valid";
    },
  },

  "promotes a half-made twin": {
    ...multiUser,
    async set({ current, pending }, context) {
      if ((await login(pending, context)) !== "rejected") return "valid";
      const session = await sessionOf(await adminOf(current, context), context);
      await session.ask({ do: "createTwin", username: pending.username, of: current.username });
      await session.ask(setPassword(pending));
      await session.ask({ do: "copyRights", from: current.username, to: pending.username });
      return "valid";
    },
  },

  "takes any account for the twin that has its name": { ...multiUser, set: setWithoutChecks },

  "trusts any admin secret": { ...multiUser, set: setWithoutChecks },

  "swallows a refused login in testSecret": { ...singleUser, test: async () => undefined },

  "leaves a secret behind": {
    ...singleUser,
    async test(pending, context) {
      await singleUser.test(pending, context);
      const left = new CreateSecretCommand({ Name: leftSecretName(context.secretId), SecretString: "x" });
      await client.send(left).catch((error: Error) => {
        if (error.name !== "ResourceExistsException") throw error;
      });
    },
  },

  "repairs in testSecret": {
    ...singleUser,
    async test(pending, context) {
      const current = JSON.parse(await context.readSecret(context.secretId)) as Secret;
      await singleUser.set({ current, pending, previous: async () => undefined }, context);
    },
  },

  "refuses to test what is current": {
    ...singleUser,
    async test(pending, context) {
      const current = JSON.parse(await context.readSecret(context.secretId)) as Secret;
      if (current.password === pending.password)
        throw new RotationError("superseded", "It is current", "Rotate again.");
      await singleUser.test(pending, context);
    },
  },

  "calls a refused password unreachable": {
    ...singleUser,
    set: (values, context) =>
      singleUser.set(values, context).catch(() => {
        throw new RotationError("unreachable", `${values.current.host}: no connection`, "Check the network.");
      }),
  },

  "waits for ever": {
    ...singleUser,
    set: (values, context) =>
      singleUser.set(values, { ...context, deadline: { remainingMs: () => 1e9, share: () => 1e9 } }),
  },

  "drops unknown keys": {
    ...singleUser,
    format: {
      ...singleUser.format,
      write(current, changes) {
        const { engine, host, port, username, password } = JSON.parse(current) as Secret;
        return JSON.stringify({ engine, host, port, username, password, ...changes });
      },
    },
  },

  "takes any value": {
    ...singleUser,
    schema: { "~standard": { version: 1, vendor: "broken", validate: (value) => ({ value: value as Secret }) } },
  },

  "escapes passwords by hand": {
    ...singleUser,
    set: ({ pending, ...values }, context) =>
      singleUser.set({ ...values, pending: { ...pending, password: pending.password.replaceAll("'", "''") } }, context),
  },

  "escapes names by hand": {
    ...multiUser,
    async set(values, context) {
      const session = await sessionOf(await adminOf(values.current, context), context);
      await session.ask({
        do: "createTwin",
        of: values.current.username,
        username: values.pending.username.replaceAll("'", "''"),
      });
      await session.ask(setPassword(values.pending));
      return "valid";
    },
  },

  "writes the password": {
    ...singleUser,
    async set(values, context) {
      process.stdout.write(`setting ${values.pending.password}\n`);
      return singleUser.set(values, context);
    },
  },

  "writes the password in base64": {
    ...singleUser,
    async set(values, context) {
      const { username, password } = values.pending;
      process.stderr.write(`authorization: Basic ${Buffer.from(`${username}:${password}`).toString("base64")}\n`);
      return singleUser.set(values, context);
    },
  },
};

async function setWithoutChecks(
  { current, pending }: { readonly current: Secret; readonly pending: Secret },
  context: RotationContext,
): Promise<"valid"> {
  const session = await sessionOf(await adminOf(current, context), context);
  await session.ask({ do: "createTwin", username: pending.username, of: current.username });
  await session.ask({ do: "copyRights", from: current.username, to: pending.username });
  await session.ask(setPassword(pending));
  return "valid";
}

const good = rotationHandler(() => singleUser);

/** What a handler does wrong around a rotator that is right. */
const handlers: Readonly<Record<string, (event: Event, context: Parameters<RotationHandler>[1]) => Promise<void>>> = {
  async "does not finish"(event, context) {
    if (event.Step !== "finishSecret") await good(event, context);
  },

  async "loses the RotationToken"({ RotationToken: _lost, ...event }, context) {
    await good(event, context);
  },

  async "writes another pending version in a retry"(event, context) {
    const text = await textOf(event);
    await good(event, context);
    if (event.Step !== "createSecret" || text === undefined) return;
    const version = { SecretId: event.SecretId, ClientRequestToken: randomUUID(), VersionStages: ["AWSPENDING"] };
    await client.send(new PutSecretValueCommand({ ...version, SecretString: text.replace(/"password":"/, "$&x") }));
  },

  async "refuses a retried createSecret"(event, context) {
    if (event.Step === "createSecret" && (await textOf(event)) !== undefined) throw refusal("not-staged");
    await good(event, context);
  },

  async "remembers in its memory how far it is"(event, context) {
    const order = ["createSecret", "setSecret", "testSecret", "finishSecret"];
    if (order.indexOf(event.Step) < order.indexOf(remembered)) throw refusal("superseded");
    remembered = event.Step === "finishSecret" ? "" : event.Step;
    await good(event, context);
  },

  async "does not expect itself at the same time"(event, context) {
    if (event.Step !== "createSecret") return good(event, context);
    if ((await textOf(event)) !== undefined) return;
    await sleep(200);
    const current = await client.send(new GetSecretValueCommand({ SecretId: event.SecretId }));
    const text = JSON.stringify({ ...JSON.parse(current.SecretString ?? ""), password: randomUUID() });
    const { Step: _step, ...version } = event;
    await client.send(new PutSecretValueCommand({ ...version, SecretString: text, VersionStages: ["AWSPENDING"] }));
  },

  "reports success where nothing is staged": (event, context) => ignoring("not-staged", good(event, context)),
  "reports success where it may not store": (event, context) => ignoring("privilege", good(event, context)),
  "reports success where it was superseded": (event, context) => ignoring("superseded", good(event, context)),
  "does not care whether rotation is on": (event, context) => ignoring("not-enabled", good(event, context)),
  "takes any event": (event, context) => ignoring("bad-event", good(event, context)),

  async "moves AWSCURRENT whatever happened"(event, context) {
    if (event.Step !== "finishSecret") return good(event, context);
    const { VersionIdsToStages: versions = {} } = await describe(event);
    const from = Object.keys(versions).find((id) => versions[id]?.includes("AWSCURRENT"));
    const move = { VersionStage: "AWSCURRENT", MoveToVersionId: event.ClientRequestToken };
    if (from === undefined || from === event.ClientRequestToken) return;
    await client.send(
      new UpdateSecretVersionStageCommand({ SecretId: event.SecretId, ...move, RemoveFromVersionId: from }),
    );
  },

  async "refuses what is done already"(event, context) {
    const { VersionIdsToStages: versions = {} } = await describe(event);
    if (versions[event.ClientRequestToken]?.includes("AWSCURRENT")) throw refusal("superseded");
    await good(event, context);
  },

  async "expects AWSPENDING on what it has promoted"(event, context) {
    const { VersionIdsToStages: versions = {} } = await describe(event);
    if (!versions[event.ClientRequestToken]?.includes("AWSPENDING")) throw refusal("not-staged");
    await good(event, context);
  },

  "takes a label that it may not move for moved": (event, context) =>
    event.Step === "finishSecret" ? ignoring("privilege", good(event, context)) : good(event, context),

  async "stops in the middle when rotation is turned off"(event, context) {
    if ((await describe(event)).RotationEnabled === false) throw refusal("not-enabled");
    await good(event, context);
  },
};

let remembered = "";

function describe({ SecretId }: Event) {
  return client.send(new DescribeSecretCommand({ SecretId }));
}

/** The pending version's text, if it has one. */
async function textOf({ SecretId, ClientRequestToken: VersionId }: Event): Promise<string | undefined> {
  try {
    return (await client.send(new GetSecretValueCommand({ SecretId, VersionId }))).SecretString;
  } catch (error) {
    if (error instanceof Error && error.name === "ResourceNotFoundException") return undefined;
    throw error;
  }
}

async function ignoring(code: ErrorCode, step: Promise<void>): Promise<void> {
  await step.catch((error: unknown) => {
    if (!(error instanceof RotationError) || error.code !== code) throw error;
  });
}

function refusal(code: ErrorCode): RotationError {
  return new RotationError(code, "This rotator is broken", "It does so on purpose.");
}

const flaw = process.env.FLAW ?? "";
const rotator = rotators[flaw];
const broken = handlers[flaw] ?? (rotator && rotationHandler(() => rotator));
if (!broken) throw new Error(`There is no flaw "${flaw}"`);
export const handler = broken;
