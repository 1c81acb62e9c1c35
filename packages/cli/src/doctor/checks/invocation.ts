import * as v from "valibot";
import { type Check, fail, notKnown, pass } from "../check.ts";
import { placeOf } from "../place.ts";
import { rotationFunction } from "./function.ts";

const oneOrMore = <Schema extends v.GenericSchema>(schema: Schema) =>
  v.union([
    v.array(schema),
    v.pipe(
      schema,
      v.transform((one) => [one]),
    ),
  ]);

/** A function's resource policy, as far as it says who may invoke. */
const policySchema = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({
    Statement: oneOrMore(
      v.object({
        Effect: v.string(),
        Principal: v.optional(v.union([v.string(), v.object({ Service: v.optional(oneOrMore(v.string())) })]), {}),
        Action: v.optional(oneOrMore(v.string()), []),
        Condition: v.optional(v.record(v.string(), v.record(v.string(), oneOrMore(v.string()))), {}),
      }),
    ),
  }),
);

type Statement = v.InferOutput<typeof policySchema>["Statement"][number];

const service = "secretsmanager.amazonaws.com";

/** Conditions that decide over whose secrets, with what they are compared with. */
const known: Readonly<Record<string, (secretArn: string) => string>> = {
  "aws:sourceaccount": (secretArn) => placeOf(secretArn).account,
  "aws:sourcearn": (secretArn) => secretArn,
};

/** @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets-required-permissions-function.html */
export const invocation: Check = {
  name: "invocation",
  needs: [rotationFunction],
  look({ secret: { arn: secretArn }, rotationFunction: found, aws }) {
    if (!found) return notKnown("there is no function");
    const { arn, policy } = found;
    const { account } = placeOf(secretArn);
    const fix = aws(
      "lambda",
      "add-permission",
      "--function-name",
      arn,
      "--statement-id",
      "secrets-manager",
      "--action",
      "lambda:InvokeFunction",
      "--principal",
      service,
      "--source-account",
      account,
    );
    if (policy.is === "unseen") return notKnown(policy.why);
    const parsed = v.safeParse(policySchema, policy.it ?? '{"Statement":[]}');
    if (!parsed.success) return notKnown("the function's policy is not understood here");
    const statements = parsed.output.Statement.filter(isAboutTheService);
    const denying = statements
      .filter(({ Effect }) => Effect === "Deny")
      .map(({ Condition }) => holds(Condition, secretArn));
    if (denying.includes(true))
      return fail("the function's policy denies it to Secrets Manager", "Take that statement out of it.");
    const allowing = statements.filter(({ Effect }) => Effect === "Allow");
    if (denying.includes(undefined) && allowing.some(({ Condition }) => holds(Condition, secretArn) !== false))
      return notKnown("the function's policy denies it under conditions that are not understood here");
    const open = allowing.filter(({ Condition }) => holds(Condition, secretArn) === true);
    if (open.some(({ Condition }) => namesSource(Condition)))
      return pass(`Secrets Manager may invoke the function for account ${account}`);
    if (open.length > 0) {
      const better = `Its policy does not say for whose secrets. Better with a condition on aws:SourceAccount: ${fix}; then remove-permission of the other statement.`;
      return pass("Secrets Manager may invoke the function", better);
    }
    if (allowing.some(({ Condition }) => holds(Condition, secretArn) === undefined))
      return notKnown("the function's policy has conditions that are not understood here");
    return fail(
      allowing.length === 0
        ? "the function's policy does not let Secrets Manager invoke it"
        : `the function's policy lets Secrets Manager invoke it for others than ${account} or this secret`,
      fix,
    );
  },
};

function isAboutTheService({ Principal, Action }: Statement): boolean {
  const principals = typeof Principal === "string" ? [Principal] : (Principal.Service ?? []);
  return (
    principals.some((each) => each === service || each === "*") &&
    Action.some((each) => matches(each.toLowerCase(), "lambda:invokefunction"))
  );
}

const namesSource = (condition: Statement["Condition"]) =>
  Object.values(condition).some((keys) => Object.keys(keys).some((key) => known[key.toLowerCase()]));

/** Whether a condition is true of the service's calls for this secret; undefined where it cannot be said. */
function holds(condition: Statement["Condition"], secretArn: string): boolean | undefined {
  const answers = Object.entries(condition).flatMap(([operator, keys]) =>
    Object.entries(keys).map(([key, values]) => {
      const actual = known[key.toLowerCase()]?.(secretArn);
      const [, kind, isNot] = /^(String|Arn)(Not)?(?:Equals|Like)(?:IfExists)?$/.exec(operator) ?? [];
      if (actual === undefined || kind === undefined) return undefined;
      const isExact = /^String(Not)?Equals/.test(operator);
      const isOne = values.some((value) => (isExact ? value === actual : matches(value, actual)));
      return isOne !== (isNot !== undefined);
    }),
  );
  if (answers.includes(false)) return false;
  return answers.includes(undefined) ? undefined : true;
}

/** Whether a pattern of IAM, in which `*` and `?` stand for any characters and for one, matches. */
function matches(pattern: string, text: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`, "s").test(text);
}
