import * as v from "valibot";
import { ServiceError } from "./service-error.ts";

const oneOrMore = v.union([v.string(), v.array(v.string())]);

const statementSchema = v.object({
  Effect: v.picklist(["Allow", "Deny"]),
  Principal: v.optional(v.union([v.literal("*"), v.record(v.string(), oneOrMore)])),
  NotPrincipal: v.optional(v.record(v.string(), oneOrMore)),
  Action: v.optional(oneOrMore),
  NotAction: v.optional(oneOrMore),
  Condition: v.optional(v.record(v.string(), v.unknown())),
});

const policySchema = v.object({
  Version: v.optional(v.picklist(["2008-10-17", "2012-10-17"])),
  Statement: v.union([v.array(statementSchema), statementSchema]),
});

type Policy = v.InferOutput<typeof policySchema>;
type Statement = v.InferOutput<typeof statementSchema>;

/**
 * Reads as much of a resource policy as stands between it and being stored. What it allows is not evaluated: every
 * caller of this endpoint may do everything.
 * @throws MalformedPolicyDocumentException
 */
export function readPolicy(document: string): Policy {
  const policy = parse(document);
  const valid = statementsOf(policy).every(
    (statement) =>
      (statement.Principal === undefined) !== (statement.NotPrincipal === undefined) &&
      (statement.Action === undefined) !== (statement.NotAction === undefined),
  );
  if (!valid) throw malformedPolicy();
  return policy;
}

/** Whether a statement lets everybody in without a condition. */
export function isPublic(policy: Policy): boolean {
  return statementsOf(policy).some(
    ({ Effect, Principal, NotPrincipal, Condition }) =>
      Effect === "Allow" &&
      Object.keys(Condition ?? {}).length === 0 &&
      (NotPrincipal !== undefined || Principal === "*" || [Principal?.AWS ?? []].flat().includes("*")),
  );
}

export const publicPolicy = () =>
  new ServiceError(
    "PublicPolicyException",
    "You can't attach a resource policy that allows broad access to the secret while BlockPublicPolicy is true.",
  );

function parse(document: string): Policy {
  try {
    return v.parse(policySchema, JSON.parse(document));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError || v.isValiError(error)) throw malformedPolicy();
    throw error;
  }
}

const statementsOf = (policy: Policy): Statement[] => [policy.Statement].flat();

const malformedPolicy = () =>
  new ServiceError("MalformedPolicyDocumentException", "This resource policy contains a syntax error.");
