import type { Register } from "../command.ts";
import type { Context } from "../context.ts";
import type { Examined } from "../doctor/check.ts";
import { Failure } from "../failure.ts";
import type { Outcome, Paint } from "../output.ts";
import { startProgress } from "../progress.ts";

export const registerDoctor: Register = (program, act) =>
  program
    .command("doctor <SECRET>")
    .description("Looks for what would make a rotation fail, and says what to do. Changes nothing.")
    .action(act(doctor));

async function doctor(context: Context, secretId: string): Promise<Outcome> {
  // With the clients of EC2, IAM and KMS every command would take a quarter of a second longer to start.
  const [{ checks }, { examine }, { gather }] = await Promise.all([
    import("../doctor/checks.ts"),
    import("../doctor/check.ts"),
    import("../doctor/facts.ts"),
  ]);
  using progress = startProgress(context.io, `Looking at ${secretId}`);
  const facts = await gather(context, secretId, (what) => progress.show(`Looking at ${what}`));
  const { secret, strategy } = facts;
  const found = examine(checks, facts);
  const failed = found.filter(({ is }) => is === "fail").length;
  return {
    data: {
      name: secret.name,
      arn: secret.arn,
      strategy,
      checks: found.map((each) => ({
        check: each.check,
        is: each.is,
        what: each.what,
        list: listOf(each),
        fix: fixOf(each) ?? null,
      })),
    },
    text: (paint) => found.flatMap((each) => linesOf(each, paint)).join("\n"),
    ...(failed > 0 && {
      failure: new Failure(
        "unhealthy",
        `${failed} of ${found.length} checks failed`,
        context.flags.json ? 'What to do is the "fix" of each.' : "What to do is below each.",
      ),
    }),
  };
}

const fixOf = (found: Examined): string | undefined => ("fix" in found ? found.fix : undefined);
const listOf = (found: Examined): readonly string[] => ("list" in found ? (found.list ?? []) : []);

const marks = { pass: "✓", fail: "✗", "not known": "?", "not looked at": "-" } as const;
const colours = { pass: "green", fail: "red", "not known": "yellow", "not looked at": "dim" } as const;
const words = { pass: "", fail: "", "not known": "not known: ", "not looked at": "not looked at: " } as const;

function linesOf(found: Examined, paint: Paint): string[] {
  const { is, check, what } = found;
  const fix = fixOf(found);
  const below = [...listOf(found), ...(fix === undefined ? [] : [`→ ${fix}`])];
  return [
    `${paint(colours[is], marks[is])} ${check.padEnd(10)}  ${words[is]}${what}`,
    ...below.map((line) => `${" ".repeat(14)}${line}`),
  ];
}
