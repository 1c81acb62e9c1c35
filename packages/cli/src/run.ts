import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { tellEngines } from "./aws.ts";
import { type Act, addAwsOptions, addCommonOptions, type Register } from "./command.ts";
import { registerApps } from "./commands/apps.ts";
import { registerCancel } from "./commands/cancel.ts";
import { registerDemo } from "./commands/demo.ts";
import { registerDiscardOld } from "./commands/discard-old.ts";
import { registerDoctor } from "./commands/doctor.ts";
import { registerEnable } from "./commands/enable.ts";
import { registerLocal } from "./commands/local.ts";
import { registerRecover } from "./commands/recover.ts";
import { registerRollback } from "./commands/rollback.ts";
import { registerRotate } from "./commands/rotate.ts";
import { registerStage } from "./commands/stage.ts";
import { registerStatus } from "./commands/status.ts";
import { type CommonFlags, contextOf } from "./context.ts";
import { type Ending, exitCodes } from "./exit-codes.ts";
import { asFailure, type Failure } from "./failure.ts";
import type { Io } from "./io.ts";
import { fitted, print, printFailure } from "./output.ts";

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  version: string;
};

const ofAws: readonly Register[] = [
  registerStatus,
  registerEnable,
  registerRotate,
  registerCancel,
  registerRollback,
  registerRecover,
  registerDiscardOld,
  registerStage,
  registerDoctor,
];
const others: readonly Register[] = [registerApps, registerLocal, registerDemo];

const description =
  "The operator's side of AWS Secrets Manager rotations. Credentials and Region come from where the AWS CLI takes them.";

/**
 * Runs one command line.
 *
 * @param argv the words after the program's name
 * @returns the exit code
 */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  let ending: Ending = "done";

  const act: Act =
    (work) =>
    async (...words) => {
      const command: Command = words[words.length - 1] as never;
      const flags: CommonFlags = command.opts();
      tellEngines(flags, io.env);
      const note = (line: string) => void io.stderr.write(`${fitted(line, io.stderr)}\n`);
      const context = { ...contextOf(io, flags), note };
      const tell = (failure: Failure) => {
        context.note(context.redactor.redact(`quarterturn: ${failure.message}`));
        if (flags.debug) for (const line of framesOf(failure)) context.note(context.redactor.redact(line));
        ending = failure.ending;
      };
      try {
        const outcome = await work(context, ...(words.slice(0, -1) as never));
        print(outcome, io, flags.json === true);
        if (outcome.failure) tell(outcome.failure);
      } catch (thrown) {
        const failure = asFailure(thrown);
        tell(failure);
        const { redact } = context.redactor;
        const told = { message: redact(`${failure.what}.`), next: redact(failure.next) };
        if (flags.json) printFailure(told, exitCodes[failure.ending].code, io);
      } finally {
        context.secretsManager.destroy();
      }
    };

  const program = new Command("quarterturn")
    .description(description)
    .version(version)
    .configureHelp({ subcommandTerm: (command) => command.name() })
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
      getOutHelpWidth: () => 80,
      getErrHelpWidth: () => 80,
      outputError: (text, write) => write(`quarterturn: ${mistakeIn(text)} ${hintOf(argv, program)}\n`),
    });
  program.hook("preAction", (_, command) => {
    const empty = emptyIn(command);
    if (empty !== undefined) command.error(`${empty} is empty: a variable of the shell may not be set`);
  });
  for (const register of ofAws) addAwsOptions(register(program, act));
  for (const register of others) register(program, act);
  for (const command of program.commands) addCommonOptions(command);
  try {
    await program.parseAsync(argv, { from: "user" });
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) throw thrown;
    if (thrown.exitCode !== 0) {
      ending = "usage";
      const told = { message: mistakeIn(thrown.message), next: hintOf(argv, program) };
      if (argv.includes("--json")) printFailure(told, exitCodes.usage.code, io);
    }
  }
  return exitCodes[ending].code;
}

/** The argument or option that was given as nothing, which AWS would refuse in words of its own, or take for absent. */
function emptyIn(command: Command): string | undefined {
  const options = command.opts<Record<string, unknown>>();
  const given: (readonly [name: string, value: unknown])[] = [
    ...command.registeredArguments.map((each, i) => [each.name(), command.processedArgs[i]] as const),
    ...command.options.map((each) => [each.long ?? "", options[each.attributeName()]] as const),
  ];
  return given.find(([, value]) => value === "" || (Array.isArray(value) && value.includes("")))?.[0];
}

/** What commander says of a wrong command line, as one sentence on one line. */
const mistakeIn = (text: string) =>
  `${text
    .replace(/^error: /, "")
    .trim()
    .replace(/\.$/, "")
    .replaceAll(/\s+/g, " ")}.`;

function hintOf([first]: readonly string[], program: Command): string {
  const isKnown = program.commands.some((command) => command.name() === first);
  return `See quarterturn ${isKnown ? `${first} ` : ""}--help.`;
}

/** The stack of a failure and of what caused it, line by line. */
function framesOf(failure: Error): string[] {
  const { cause } = failure;
  return [...(failure.stack ?? "").split("\n"), ...(cause instanceof Error ? ["Caused by:", ...framesOf(cause)] : [])];
}
