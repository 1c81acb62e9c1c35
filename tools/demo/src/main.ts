import { constants } from "node:os";
import { parseArgs } from "node:util";
import { demo } from "./demo.ts";
import { type EngineName, engineNamed, engineNames } from "./engines.ts";
import { createScreen } from "./screen.ts";

const help = `\
npm run demo -- [--engine NAME]

Rotates secrets of a server while an application uses them, and shows it.

  --engine NAME   ${engineNames.join(", ")}
                  (if absent: postgres)

postgres, redshift (imitated) and template (an API key of a small service) take
Node and npm only.
mysql and mariadb are fetched the first time by apt-get from the Debian mirror
that this machine uses, documentdb's server is built with Go; they stay in a
cache in the temporary folder.
Everything else is gone at the end. The exit code is 0 where every promise was
kept.`;

try {
  const { values } = parseArgs({ options: { engine: { type: "string" }, help: { type: "boolean", short: "h" } } });
  if (values.help) console.log(help);
  else await show(named(values.engine ?? "postgres"));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}

function named(name: string): EngineName {
  const known = engineNames.find((each) => each === name);
  if (known === undefined) throw new Error(`There is no engine ${name}. There are: ${engineNames.join(", ")}.`);
  return known;
}

async function show(engine: EngineName): Promise<void> {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    // To clean up takes a moment, which a second Ctrl-C must not cut short.
    process.on(signal, () => stop.abort(signal));
  }
  // Whoever read the output has gone, as with `npm run demo | head`.
  process.stdout.on("error", () => stop.abort("SIGPIPE"));

  try {
    using screen = createScreen(process.stdout, process.env);
    process.exitCode = (await demo({ engine: await engineNamed(engine), screen, signal: stop.signal })) ? 0 : 1;
  } catch (error) {
    if (stop.signal.aborted && !(error instanceof SuppressedError)) {
      process.exitCode = 128 + constants.signals[stop.signal.reason as NodeJS.Signals];
      console.error("Interrupted. What was started is stopped, and its files are removed.");
    } else {
      process.exitCode = 1;
      // What cannot be started says so in words; an error in cleaning up has both causes in it.
      console.error(error instanceof Error && !(error instanceof SuppressedError) ? error.message : error);
    }
  }
}
