type Statement = Readonly<Record<string, unknown>>;

/** A policy of IAM, as far as the open one goes. */
interface Policy {
  readonly Statement?: Statement | readonly Statement[];
}

/**
 * Whether an endpoint's policy is the one that it has by default, which lets everybody do everything. What another one lets through hangs
 * on who asks and for what.
 *
 * @param text as EC2 has it; absent where the endpoint has none
 * @see https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html
 */
export function isOpen(text: string | undefined): boolean {
  if (text === undefined) return true;
  const statements = [(JSON.parse(text) as Policy).Statement ?? []].flat();
  return (
    statements.every(({ Effect }) => Effect === "Allow") &&
    statements.some(
      ({ Principal, Action, Resource, Condition }) =>
        isAll(Principal) && isAll(Action) && isAll(Resource) && Condition === undefined,
    )
  );
}

const isAll = (value: unknown) =>
  ["*", '["*"]', '{"AWS":"*"}'].includes(typeof value === "string" ? value : JSON.stringify(value));
