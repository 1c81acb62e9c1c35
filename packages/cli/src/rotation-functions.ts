import {
  type FunctionConfiguration,
  GetFunctionConfigurationCommand,
  LambdaClient,
  paginateListFunctions,
} from "@aws-sdk/client-lambda";
import { oneLine, reasonOf } from "@quarterturn/core";
import { type Application, applicationOf } from "./applications.ts";
import type { Context } from "./context.ts";
import { Failure } from "./failure.ts";
import { isInteractive } from "./io.ts";
import { startProgress } from "./progress.ts";
import { choose } from "./prompt.ts";
import { regionOf, type Secret } from "./secret.ts";

/** What a function is to rotate. */
export interface Target {
  readonly secret: Secret;
  /** The secret's `engine`; absent where it names none. */
  readonly engine?: string;
  /** Whether the secret itself names an admin's (masterarn); absent where nobody here can read that. */
  readonly namesAdmin?: boolean;
}

/** A deployed function, with what is known of it. */
export interface RotationFunction {
  readonly arn: string;
  /** Absent where it is none of Quarterturn's, or nobody could look. */
  readonly application?: Application;
  /** Whether its settings name an admin's secret; absent where they could not be seen. */
  readonly namesAdmin?: boolean;
}

/** The function that was named. @throws Failure where it is not there, or cannot rotate the secret */
export async function functionNamed(context: Context, target: Target, nameOrArn: string): Promise<RotationFunction> {
  const arn = arnOf(nameOrArn, target.secret);
  const found = await lookAt(context, arn);
  if (found) return requireFit(found, target);
  throw new Failure(
    "refused",
    `There is no function ${arn}`,
    `See those that there are: ${context.aws("lambda", "list-functions", "--query", "Functions[].FunctionName")}`,
  );
}

/** The function that the secret has; undefined where it was deleted. @throws Failure where it cannot rotate the secret */
export async function functionThatStays(
  context: Context,
  target: Target,
  arn: string,
): Promise<RotationFunction | undefined> {
  const found = await lookAt(context, arn);
  if (found) return requireFit(found, target);
  context.note(`Its function was deleted: ${arn}`);
  return undefined;
}

function requireFit(found: RotationFunction, target: Target): RotationFunction {
  const problem = problemOf(found, target);
  if (problem === undefined) return found;
  throw new Failure("refused", `${found.arn} cannot rotate "${target.secret.name}": ${problem}`);
}

/** The function of Quarterturn's applications that can rotate the secret, which the operator chooses where there are several. @throws Failure */
export async function functionFor(context: Context, target: Target): Promise<RotationFunction> {
  const { id, name } = target.secret;
  const named = (arn: string) => context.next("enable", id, "--function", arn);
  const { engine } = target;
  if (engine === undefined) {
    throw new Failure(
      "refused",
      `The value of "${name}" has no "engine", so nobody can tell which function it is for`,
      `Name the function: ${named("NAME")}`,
    );
  }
  const found = (await listAll(context, id)).filter(({ application }) => application?.engines.includes(engine));
  const fitting = found.filter((each) => problemOf(each, target) === undefined);
  const [only] = fitting;
  if (only === undefined) {
    const [unfit] = found;
    throw new Failure(
      "refused",
      unfit
        ? `${unfit.arn} cannot rotate "${name}": ${problemOf(unfit, target)}`
        : `No function in ${regionOf(target.secret.arn)} is known to rotate a secret of "${engine}"`,
      `Deploy one of Quarterturn's (quarterturn apps), or name your own: ${named("NAME")}`,
    );
  }
  if (fitting.length === 1) return only;
  const described = (each: RotationFunction) => `${nameIn(each.arn)} (${each.application?.strategy})`;
  if (!isInteractive(context.io)) {
    throw new Failure(
      "usage",
      `Several functions can rotate "${name}": ${fitting.map(described).join(", ")}`,
      `Name one: ${named(nameIn(only.arn))}`,
    );
  }
  return choose(
    context,
    `Which function is to rotate ${name}?`,
    fitting.map((each) => ({ value: each, label: described(each) })),
  );
}

/** Why a function would fail with the secret; undefined where nothing speaks against it. */
export function problemOf(
  { application, namesAdmin }: Pick<RotationFunction, "application" | "namesAdmin">,
  { engine, ...target }: Pick<Target, "engine" | "namesAdmin">,
): string | undefined {
  if (application === undefined) return undefined;
  const { engines, rotates, strategy } = application;
  if (engine !== undefined && !engines.includes(engine)) {
    return `it is for ${rotates} (${engines.join(", ")}), and the secret is of "${engine}"`;
  }
  if (strategy === "multi-user" && target.namesAdmin === false && namesAdmin === false) {
    return 'it alternates between two users, and neither the secret ("masterarn") nor the function (SUPERUSER_SECRET_ARN) names an admin\'s secret';
  }
  return undefined;
}

/** An ARN from a name: of the secret's account and Region, where its function has to be. */
function arnOf(nameOrArn: string, { arn, name }: Secret): string {
  const region = regionOf(arn);
  const [, partition, , , account] = arn.split(":");
  if (/^[\w-]{1,64}$/.test(nameOrArn)) return `arn:${partition}:lambda:${region}:${account}:function:${nameOrArn}`;
  const [, ofFunction] = /^arn:[\w-]+:lambda:([\w-]+):\d{12}:function:[\w-]+(?::[\w$-]+)?$/.exec(nameOrArn) ?? [];
  if (ofFunction === undefined) {
    throw new Failure("usage", `"${oneLine(nameOrArn)}" is neither the name of a function nor its ARN`);
  }
  if (ofFunction === region) return nameOrArn;
  throw new Failure(
    "refused",
    `${nameOrArn} is in ${ofFunction}, and "${name}" in ${region}: Secrets Manager invokes functions of its own Region only`,
    `Deploy the function in ${region} too.`,
  );
}

/** The function's name in its ARN. */
export const nameIn = (arn: string) => arn.split(":")[6] ?? arn;

/** Undefined where there is no such function. */
async function lookAt(context: Context, arn: string): Promise<RotationFunction | undefined> {
  using client = lambdaClient(context);
  try {
    const command = new GetFunctionConfigurationCommand({ FunctionName: arn });
    return knownOf(await client.lambda.send(command, { abortSignal: context.io.signal }), arn);
  } catch (error) {
    context.io.signal.throwIfAborted();
    if (error instanceof Error && error.name === "ResourceNotFoundException") return undefined;
    const reason = oneLine(reasonOf(error)).replace(/\.$/, "");
    context.note(`The function could not be looked at (${reason}).`);
    return { arn };
  }
}

async function listAll(context: Context, secretId: string): Promise<RotationFunction[]> {
  using client = lambdaClient(context);
  using progress = startProgress(context.io, "Looking for functions");
  const found: RotationFunction[] = [];
  try {
    const pages = paginateListFunctions({ client: client.lambda }, {}, { abortSignal: context.io.signal });
    for await (const { Functions = [] } of pages) {
      for (const each of Functions) found.push(knownOf(each, each.FunctionArn ?? ""));
      progress.show(`Looking for functions: ${found.length}`);
    }
    return found;
  } catch (error) {
    context.io.signal.throwIfAborted();
    throw new Failure(
      "aws",
      `Lambda does not say which functions there are (${oneLine(reasonOf(error)).replace(/\.$/, "")})`,
      `Name the function: ${context.next("enable", secretId, "--function", "NAME")}`,
      { cause: error },
    );
  }
}

function knownOf({ Description = "", Environment }: FunctionConfiguration, arn: string): RotationFunction {
  const application = applicationOf(Description);
  return {
    arn,
    ...(application && { application }),
    ...(Environment?.Variables && { namesAdmin: Boolean(Environment.Variables.SUPERUSER_SECRET_ARN) }),
  };
}

function lambdaClient(context: Context): Disposable & { readonly lambda: LambdaClient } {
  const lambda = new LambdaClient(context.clientOptions);
  return { lambda, [Symbol.dispose]: () => lambda.destroy() };
}
