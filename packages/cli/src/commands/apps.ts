import { applications } from "../applications.ts";
import type { Register } from "../command.ts";
import { columns, type Outcome } from "../output.ts";

export const registerApps: Register = (program, act) =>
  program
    .command("apps")
    .description("Which rotation functions there are to deploy, and which secrets they are for.")
    .action(act(apps));

async function apps(): Promise<Outcome> {
  return {
    data: { applications },
    text: (paint) =>
      columns([
        ["APPLICATION", "ENGINE IN THE SECRET"].map((title) => paint("bold", title)),
        ...applications.map(({ name, engines }) => [name, engines.join(", ") || "any: a function of your own"]),
      ]),
  };
}
