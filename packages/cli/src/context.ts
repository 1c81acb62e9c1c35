import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { createRedactor, type Redactor } from "@quarterturn/core";
import { type ClientOptions, clientOptions } from "./aws.ts";
import type { Io } from "./io.ts";

/** The options that every command has. */
export interface CommonFlags {
  readonly json?: boolean;
  readonly region?: string;
  readonly profile?: string;
  readonly endpointUrl?: string;
  readonly debug?: boolean;
}

/** What a command works with. */
export interface Context {
  readonly io: Io;
  readonly flags: CommonFlags;
  /** For the clients of other services. */
  readonly clientOptions: ClientOptions;
  readonly secretsManager: SecretsManagerClient;
  /** Knows every secret value that this command has read. */
  readonly redactor: Redactor;
  /** A line for people, beside the result. */
  note(line: string): void;
  /** A command to run next, in the same place: with the region, profile and endpoint that this one was given. */
  next(...words: readonly string[]): string;
  /** The same of the AWS CLI. */
  aws(service: string, ...words: readonly string[]): string;
}

export function contextOf(io: Io, flags: CommonFlags): Context {
  const options = clientOptions(flags);
  return {
    io,
    flags,
    clientOptions: options,
    secretsManager: new SecretsManagerClient(options),
    redactor: createRedactor(),
    note: (line) => void io.stderr.write(`${line}\n`),
    next: (...words) => commandLine("quarterturn", ...words, ...placeOf(flags)),
    aws(service, ...words) {
      // The endpoint is of the services that are called here; who somebody is, others say.
      const { endpointUrl: _elsewhere, ...place } = flags;
      const isCalledHere = ["secretsmanager", "lambda", "logs"].includes(service);
      return commandLine("aws", service, ...words, ...placeOf(isCalledHere ? flags : place));
    },
  };
}

/** What ends a process that does not listen: Ctrl-C, a service manager, a terminal that is closed. */
const ENDING_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** The same for what must not be left half done: until it is disposed of, none of these ends the process, however often it comes. */
export function uninterrupted(context: Context): Context & Disposable {
  const here = { ...context, io: { ...context.io, signal: new AbortController().signal } };
  // Within another one, whose end counts.
  if (Symbol.dispose in context) return { ...here, [Symbol.dispose]: () => undefined };
  const wait = () => context.note("Wait: this must not be left half done. It ends by itself.");
  for (const name of ENDING_SIGNALS) process.on(name, wait);
  return {
    ...here,
    [Symbol.dispose]() {
      for (const name of ENDING_SIGNALS) process.off(name, wait);
    },
  };
}

const commandLine = (...words: readonly string[]) => words.map(quoted).join(" ");

function placeOf({ region, profile, endpointUrl }: CommonFlags): string[] {
  const named = { "--region": region, "--profile": profile, "--endpoint-url": endpointUrl };
  return Object.entries(named).flatMap(([flag, value]) => (value === undefined ? [] : [flag, value]));
}

/** A word as a shell takes it. */
const quoted = (word: string) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);
