import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { type Command, InvalidArgumentError } from "commander";
import * as v from "valibot";
import type { LocalEvent } from "./event-log.ts";
import { type LocalEndpoint, startLocal } from "./local-endpoint.ts";
import type { RotationFunction } from "./rotation-function.ts";

/** What the options of `withServeOptions` say. */
export interface ServeFlags {
  readonly port: number;
  /** Modules and URLs, by the function's name. */
  readonly function?: Readonly<Record<string, string>>;
  readonly file?: string;
}

type Handler = Exclude<RotationFunction, URL>;

/** Adds the options of a command that serves the endpoint. */
export function withServeOptions(command: Command): Command {
  return command
    .option("--port <PORT>", "port on 127.0.0.1; 0 takes a free one", readPort, 0)
    .option(
      "--function <NAME=MODULE-OR-URL>",
      "a rotation function: a module that exports `handler`, or a Lambda Invoke URL; may be repeated",
      readFunction,
    )
    .option("--file <FILE>", "keep the state in this file (secret values in clear, readable by you only)");
}

/**
 * Serves the endpoint until SIGINT or SIGTERM end the process, with each event as a line on standard error. What the process had of AWS's
 * credentials and regions is replaced by the endpoint's.
 *
 * @param known functions beside those of the flags, by name; each is loaded when it is first called
 * @throws Error where the port is taken, a module is none, or the file is not a state file
 */
export async function serve(
  { port, function: sources = {}, file }: ServeFlags,
  known: Readonly<Record<string, () => Promise<Handler>>> = {},
): Promise<LocalEndpoint> {
  const functions: Record<string, RotationFunction> = {};
  const started = Promise.withResolvers<void>();
  for (const [name, load] of Object.entries(known)) functions[name] = async (...event) => (await load())(...event);
  for (const [name, source] of Object.entries(sources)) functions[name] = functionAt(name, source, started.promise);
  const local = await startLocal({ port, functions, ...(file !== undefined && { file }) }).catch((error: Error) => {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    throw new Error(`port ${port} of 127.0.0.1 is taken: give another with --port, or none for any that is free.`, {
      cause: error,
    });
  });
  isolateFunctions(local);
  started.resolve();
  try {
    for (const [name, source] of Object.entries(sources)) await load(name, source);
  } catch (error) {
    await local.close();
    throw error;
  }
  local.onEvent((event) => process.stderr.write(`${lineOf(event)}\n`));
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    // A function that is still running would keep the process alive.
    process.once(signal, () => void local.close().then(() => process.exit()));
  }
  return local;
}

const handlerSchema = v.custom<Handler>((value) => typeof value === "function");
const moduleSchema = v.union([
  v.object({ handler: handlerSchema }),
  // A CommonJS module whose exports Node could not name.
  v.pipe(
    v.object({ default: v.object({ handler: handlerSchema }) }),
    v.transform((module) => module.default),
  ),
]);

function readPort(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > 65_535) throw new InvalidArgumentError("It is a number from 0 to 65535.");
  return value;
}

function readFunction(text: string, sofar: Record<string, string> = {}): Record<string, string> {
  const [, name, source] = /^([A-Za-z0-9_-]{1,64})=(.+)$/.exec(text) ?? [];
  if (name === undefined || source === undefined) {
    throw new InvalidArgumentError("It is NAME=MODULE-OR-URL; a name has letters, digits, - and _, 64 at most.");
  }
  if (name in sofar) throw new InvalidArgumentError(`There are two functions of the name ${name}.`);
  return { ...sofar, [name]: source };
}

/** A module is loaded when the endpoint has started, since it may read its environment as soon as it is loaded. */
function functionAt(name: string, source: string, started: Promise<void>): RotationFunction {
  if (isUrl(source)) return new URL(source);
  return async (event, context) => {
    await started;
    return (await load(name, source))?.(event, context);
  };
}

/** Functions in this process reach this endpoint and no other, whatever credentials the shell has: those are not handed on to them. */
export function isolateFunctions({ region, url }: LocalEndpoint): void {
  for (const name of ["AWS_PROFILE", "AWS_SESSION_TOKEN"]) delete process.env[name];
  Object.assign(process.env, {
    AWS_ACCESS_KEY_ID: "local",
    AWS_SECRET_ACCESS_KEY: "local",
    AWS_REGION: region,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: url,
    SECRETS_MANAGER_ENDPOINT: url,
  });
}

function isUrl(source: string): boolean {
  return /^https?:\/\//.test(source);
}

async function load(name: string, source: string): Promise<Handler | undefined> {
  if (isUrl(source)) return undefined;
  const path = resolve(source);
  const file = existsSync(path) ? path : resolvePackage(name, source);
  const module = v.safeParse(moduleSchema, await import(pathToFileURL(file).href));
  if (!module.success) throw new Error(`function ${name}: ${source} exports no function named handler.`);
  return module.output.handler;
}

function resolvePackage(name: string, source: string): string {
  try {
    return createRequire(join(process.cwd(), "any.js")).resolve(source);
  } catch (cause) {
    const what = `function ${name}: there is neither a file nor a package ${source}`;
    throw new Error(`${what}; a path is relative to the folder that this runs in, ${process.cwd()}.`, { cause });
  }
}

function lineOf(event: LocalEvent): string {
  const parts = [event.time.toISOString(), event.name, event.secretArn, ...detailsOf(event)];
  return parts.filter((part) => part !== undefined).join(" ");
}

function detailsOf(event: LocalEvent): (string | undefined)[] {
  if (event.kind === "api-call") return [event.errorCode];
  if (event.kind === "rotation") return [event.versionId, event.message];
  return [event.outcome, `${event.durationMs.toFixed(0)} ms`, event.errorType, event.errorMessage];
}
