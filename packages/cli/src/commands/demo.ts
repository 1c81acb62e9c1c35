import { setImmediate as turn } from "node:timers/promises";
import {
  CreateSecretCommand,
  GetSecretValueCommand,
  RotateSecretCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { type RotationHandler, rotationHandler, type Step } from "@quarterturn/core";
import { type LocalEndpoint, startLocal } from "@quarterturn/local";
import { isolateFunctions } from "@quarterturn/local/serve";
import { singleUser } from "@quarterturn/template";
import type { Register } from "../command.ts";
import type { Context } from "../context.ts";
import { type DemoService, demoService } from "../demo-service.ts";
import { Failure } from "../failure.ts";
import type { Outcome } from "../output.ts";

export const registerDemo: Register = (program, act) =>
  program
    .command("demo")
    .description(
      "Shows three rotations of an API key while an application uses it, all within this process: nothing is installed, and nothing is asked of AWS.",
    )
    .action(act(demo));

const ROTATIONS = 3;
const SECRET = "shop/api-key";

const doings: Readonly<Record<Step, string>> = {
  createSecret: "has the service issue a key, and stores it as AWSPENDING",
  setSecret: "sees that it is of the same account as AWSCURRENT's",
  testSecret: "uses it once, as the application will",
  finishSecret: "moves AWSCURRENT to it; keys before AWSPREVIOUS's are revoked",
};

const introduction = `\
A service that knows API keys, a Secrets Manager, and a rotation function: all
in this process. An application reads the secret and uses its key all the time.`;

const outlook = `\
Your own rotations: quarterturn local serves such a Secrets Manager, quarterturn
apps lists what there is for AWS. To see PostgreSQL and others rotated:
npm run demo, in a clone of https://github.com/quarterturn/quarterturn.`;

async function demo(context: Context): Promise<Outcome> {
  const service = demoService();
  let handler: RotationHandler | undefined;
  await using local = await startLocal({
    functions: { demo: async (event, lambda) => handler?.(event, lambda) },
    // What fails here is a bug, which is to be seen at once.
    rotationRetry: { attempts: 0, delayMs: 0 },
  });
  isolateFunctions(local);
  const env = { SECRETS_MANAGER_ENDPOINT: local.url, LOG_LEVEL: "ERROR" };
  handler = rotationHandler((settings) => singleUser(service, settings), env);
  local.onEvent((event) => {
    if (event.kind !== "invocation") return;
    const ending = event.outcome === "succeeded" ? doings[event.name] : `failed: ${event.errorMessage}`;
    context.note(`  ${event.name.padEnd(12)}  ${ending}`);
  });

  const client = new SecretsManagerClient({ endpoint: local.url, region: local.region });
  try {
    context.note(introduction);
    const SecretString = JSON.stringify({ key: service.issueFirst() });
    await client.send(new CreateSecretCommand({ Name: SECRET, SecretString }));
    await using application = startApplication(client, service);
    const rotations = [];
    for (let number = 1; number <= ROTATIONS; number++) {
      context.note(`\nRotation ${number}`);
      await rotate(client, local);
      const { requests, refused } = application.counts();
      const validKeys = service.validKeys();
      context.note(`  Valid keys: ${validKeys.join(", ")}. Requests until now: ${requests}, refused: ${refused}`);
      rotations.push({ validKeys, requests, refused });
    }
    context.note("");
    return outcomeOf(rotations, local);
  } finally {
    client.destroy();
  }
}

async function rotate(client: SecretsManagerClient, local: LocalEndpoint): Promise<void> {
  await client.send(new RotateSecretCommand({ SecretId: SECRET, RotationLambdaARN: local.functionArn("demo") }));
  await local.settled(SECRET);
}

interface Rotation {
  readonly validKeys: readonly number[];
  readonly requests: number;
  readonly refused: number;
}

function outcomeOf(rotations: readonly Rotation[], { events }: LocalEndpoint): Outcome {
  const succeeded = events.filter(({ name }) => name === "RotationSucceeded").length;
  const { requests, refused } = rotations.at(-1) ?? { requests: 0, refused: 0 };
  const isGood = succeeded === ROTATIONS && refused === 0;
  const summary = `${succeeded} rotations, ${requests} requests of the application, ${refused} refused`;
  return {
    data: { rotations, succeeded, requests, refused },
    text: (paint) => [paint(isGood ? "green" : "red", `${summary}.`), "", outlook].join("\n"),
    ...(!isGood && {
      failure: new Failure("failed", `The demo did not go as it should: ${summary}`, "Please report it as a bug."),
    }),
  };
}

interface Application extends AsyncDisposable {
  counts(): { readonly requests: number; readonly refused: number };
}

/** Reads AWSCURRENT and uses its key, again and again, until it is disposed of. */
function startApplication(client: SecretsManagerClient, service: DemoService): Application {
  let [requests, refused, isOn] = [0, 0, true];
  async function work(): Promise<void> {
    while (isOn) {
      const { SecretString = "" } = await client.send(new GetSecretValueCommand({ SecretId: SECRET }));
      const { key } = JSON.parse(SecretString) as { key: string };
      // A request takes its time; the key may become the previous one meanwhile.
      await turn();
      requests += 1;
      if (!service.accepts(key)) refused += 1;
    }
  }
  const working = work();
  // What goes wrong is told when it is waited for.
  working.catch(() => undefined);
  return {
    counts: () => ({ requests, refused }),
    async [Symbol.asyncDispose]() {
      isOn = false;
      await working;
    },
  };
}
