import { type Command, InvalidArgumentError } from "commander";
import type { Context } from "./context.ts";
import type { Outcome } from "./output.ts";

/** Does the work of a command; what it throws is told as a Failure. @param words the command's arguments, then its options */
type Work<Words extends readonly unknown[]> = (context: Context, ...words: Words) => Promise<Outcome>;

/** Makes a command's action of its work: with a context, and with its outcome printed. */
export type Act = <Words extends readonly unknown[]>(work: Work<Words>) => (...words: unknown[]) => Promise<void>;

/** Adds one command to the program, and returns it. Each file in commands/ is one. */
export type Register = (program: Command, act: Act) => Command;

const everywhere = "As everywhere:";

/** The options that every command has. */
export function addCommonOptions(command: Command): void {
  command
    .optionsGroup(everywhere)
    .option("--json", "the result as JSON, for programs")
    .option("--debug", "where an error came from");
}

/** Those of a command that talks to AWS. */
export function addAwsOptions(command: Command): void {
  command
    .optionsGroup(everywhere)
    .option("--region <REGION>", "the secret's Region")
    .option("--profile <NAME>", "a profile of the AWS CLI's configuration")
    .option("--endpoint-url <URL>", "another endpoint than the Region's, for all services", readUrl);
}

function readUrl(text: string): string {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text;
  throw new InvalidArgumentError("It is a URL, with https:// or http://.");
}
