import {
  type ContextEntry,
  type EvaluationResult,
  IAMClient,
  type ResourceSpecificResult,
  SimulatePrincipalPolicyCommand,
} from "@aws-sdk/client-iam";
import type { Context } from "../context.ts";
import { read, type Seen, seen } from "./seen.ts";

/** Actions that a role must be allowed on each of some resources, as IAM names them. */
export interface Need {
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  /** What they are for. */
  readonly why: string;
  /** What is known of the calls, by the name of IAM's condition key. */
  readonly conditions?: Readonly<Record<string, string>>;
  /** What else decides where the role's own policies say nothing of it; absent where nothing does. */
  readonly elseDecides?: string;
  /** What would have to be known to say whether it is needed at all; absent where it is. */
  readonly neededIf?: string;
  /** Whether a rotation works without. */
  readonly isSpare?: boolean;
}

/** One that the role has not, or of which nobody can say whether it has it or needs it. */
export interface Lacking {
  readonly action: string;
  readonly resource: string;
  readonly why: string;
  /** Spare: a rotation works without. */
  readonly is: "denied" | "undecided" | "spare";
  /** What denies it, absent where nothing allows it; or what it hangs on. */
  readonly by?: string;
}

/**
 * Asks IAM what the policies of a role allow it. Those of the resources and of VPC endpoints are not in its answer.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
 */
export async function lackingOf(
  context: Context,
  secretId: string,
  role: string,
  needs: readonly Need[],
): Promise<Seen<readonly Lacking[]>> {
  const iam = new IAMClient(context.clientOptions);
  try {
    const lacking: Lacking[] = [];
    for (const need of needs) {
      for (const resource of need.resources) {
        const command = new SimulatePrincipalPolicyCommand({
          PolicySourceArn: role,
          ActionNames: [...need.actions],
          ResourceArns: [resource],
          ContextEntries: Object.entries(need.conditions ?? {}).map(
            ([key, value]): ContextEntry => ({
              ContextKeyName: key,
              ContextKeyType: "string",
              ContextKeyValues: [value],
            }),
          ),
        });
        const answer = await read(context, "iam:SimulatePrincipalPolicy", secretId, (options) =>
          iam.send(command, options),
        );
        if (answer.is === "unseen") return answer;
        const results = answer.it?.EvaluationResults ?? [];
        for (const action of need.actions) {
          const found = judge(
            need,
            action,
            results.find(({ EvalActionName }) => EvalActionName === action),
          );
          if (found) lacking.push({ action, resource, why: need.why, ...found });
        }
      }
    }
    return seen(lacking);
  } finally {
    iam.destroy();
  }
}

/**
 * What is wrong with one action on one resource; undefined where nothing is.
 *
 * With ARNs in the question, the missing keys are those of the resource; with `*`, those of the whole.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_EvaluationResult.html
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_ResourceSpecificResult.html
 */
function judge(
  need: Need,
  action: string,
  result: EvaluationResult | undefined,
): Pick<Lacking, "is" | "by"> | undefined {
  const ofResources = result?.ResourceSpecificResults ?? [];
  const missing = new Set(
    [result, ...ofResources].flatMap((each) => each?.MissingContextValues ?? []).filter((key) => mayHave(action, key)),
  );
  const decision = ofResources[0]?.EvalResourceDecision ?? result?.EvalDecision;
  if (decision === undefined) return { is: "undecided", by: "IAM, which says nothing of it" };
  if (decision === "allowed" && missing.size === 0) return undefined;
  if (need.isSpare) return { is: "spare" };
  if (missing.size > 0) return { is: "undecided", by: [...missing].join(", ") };
  if (need.neededIf !== undefined)
    return { is: "undecided", by: `${need.neededIf}: the role's policies do not allow it` };
  const by = denierOf(result, ofResources);
  if (by === undefined && need.elseDecides !== undefined)
    return { is: "undecided", by: `${need.elseDecides}: the role's policies do not allow it` };
  return { is: "denied", ...(by !== undefined && { by }) };
}

/**
 * Whether a call of an action may have a condition key that is not given: another service's it has not, so that IAM's answer without it is what
 * happens. (The keys of Lambda that calls have are given: needs.ts.)
 */
function mayHave(action: string, key: string): boolean {
  const [service] = action.split(":");
  const [owner] = key.split(":");
  return owner?.toLowerCase() === "aws" || owner === service;
}

/** What stands against a call, which a policy that allows it would not change; undefined where it is allowed nowhere. */
function denierOf(
  result: EvaluationResult | undefined,
  ofResources: readonly ResourceSpecificResult[],
): string | undefined {
  const all = [result, ...ofResources];
  const deniers = [
    ...(result?.OrganizationsDecisionDetail?.AllowedByOrganizations === false
      ? ["a service control policy of its organization"]
      : []),
    ...(all.some((each) => each?.PermissionsBoundaryDecisionDetail?.AllowedByPermissionsBoundary === false)
      ? ["its permissions boundary"]
      : []),
  ];
  if (deniers.length > 0) return deniers.join(" and ");
  const isExplicit =
    result?.EvalDecision === "explicitDeny" ||
    ofResources.some(({ EvalResourceDecision }) => EvalResourceDecision === "explicitDeny");
  return isExplicit ? "a Deny in its policies" : undefined;
}
