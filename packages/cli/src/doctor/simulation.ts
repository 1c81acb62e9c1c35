import { type ContextEntry, IAMClient, SimulatePrincipalPolicyCommand } from "@aws-sdk/client-iam";
import type { Context } from "../context.ts";
import { read, type Seen, seen } from "./seen.ts";

/** Actions that a role must be allowed on one of some resources, as IAM names them. */
export interface Need {
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  /** What they are for. */
  readonly why: string;
  /** What is known of the calls, by the name of IAM's condition key. */
  readonly conditions?: Readonly<Record<string, string>>;
}

/** One that the role has not. */
export interface Lacking {
  readonly action: string;
  readonly resource: string;
  readonly why: string;
  /** Condition keys that a policy asks for and nobody here knows: with those it may be allowed. */
  readonly undecided: readonly string[];
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
    for (const { actions, resources, why, conditions = {} } of needs) {
      const answers: { action: string; resource: string; isAllowed: boolean; undecided: readonly string[] }[] = [];
      for (const resource of resources) {
        const command = new SimulatePrincipalPolicyCommand({
          PolicySourceArn: role,
          ActionNames: [...actions],
          ResourceArns: [resource],
          ContextEntries: Object.entries(conditions).map(
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
        for (const { EvalActionName: action = "", EvalDecision, MissingContextValues = [] } of answer.it
          ?.EvaluationResults ?? []) {
          const undecided = EvalDecision === "implicitDeny" ? MissingContextValues : [];
          answers.push({ action, resource, isAllowed: EvalDecision === "allowed", undecided });
        }
      }
      for (const action of actions) {
        const ofAction = answers.filter((each) => each.action === action);
        if (ofAction.some(({ isAllowed }) => isAllowed)) continue;
        const undecided = ofAction.flatMap((each) => each.undecided);
        lacking.push({ action, resource: resources.join(" or "), why, undecided });
      }
    }
    return seen(lacking);
  } finally {
    iam.destroy();
  }
}
