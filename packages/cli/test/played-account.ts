import type { Answer, Call } from "./imitated-aws.ts";

/**
 * What Lambda, IAM, EC2 and KMS say of a secret's rotation. An imitation: `packages/local` has none of them, and nothing here was compared with
 * AWS. Whatever is absent does not exist.
 */
export interface PlayedAccount {
  /** GetFunctionConfiguration's answer, besides a function's usual state. */
  readonly function?: Readonly<Record<string, unknown>>;
  /** The function's resource policy. */
  readonly policy?: object;
  /** What SimulatePrincipalPolicy decides: false is an implicit deny, keys are missing beside one. Absent: the role may everything. */
  readonly mayRole?: (
    action: string,
    resource: string,
    conditions: Conditions,
  ) => boolean | readonly string[] | Decided;
  /** EC2's things by the name of their list, as its XML has them. */
  readonly network?: Readonly<Record<string, readonly Record<string, unknown>[]>>;
  /** DescribeKey's answer. */
  readonly key?: Readonly<Record<string, unknown>>;
  /** Actions that the operator may not. */
  readonly denied?: readonly string[];
}

/** A decision of IAM's simulation. */
interface Decided {
  readonly decision: "allowed" | "explicitDeny" | "implicitDeny";
  /** Condition keys that policies name and the question does not. */
  readonly missing?: readonly string[];
  /** What stands against it besides the role's own policies. */
  readonly by?: "boundary" | "organization";
}

type Conditions = Readonly<Record<string, string>>;

/** Answers as an account's services do. */
export const playing =
  (account: PlayedAccount) =>
  ({ action, body }: Call): Answer | undefined => {
    const form = new URLSearchParams(body);
    const [service, operation = ""] = action.split(":");
    if (account.denied?.includes(action)) return denial(service, action);
    if (service === "ec2") return { body: xml({ [`${operation}Response`]: listed(account, operation, form) }, "item") };
    switch (action) {
      case "lambda:GetFunctionConfiguration":
        return account.function
          ? json({ State: "Active", LastUpdateStatus: "Successful", ...account.function })
          : notFound("ResourceNotFoundException");
      case "lambda:GetPolicy":
        return account.policy
          ? json({ Policy: JSON.stringify(account.policy) })
          : notFound("ResourceNotFoundException");
      case "iam:SimulatePrincipalPolicy":
        return {
          body: xml(
            { SimulatePrincipalPolicyResponse: { SimulatePrincipalPolicyResult: simulated(account, form) } },
            "member",
          ),
        };
      case "kms:DescribeKey":
        return account.key ? json({ KeyMetadata: account.key }) : notFound("NotFoundException");
      default:
        return undefined;
    }
  };

/** The lists of EC2's answers, and what its filters look at in them. */
const lists: Readonly<Record<string, string>> = {
  DescribeSubnets: "subnetSet",
  DescribeRouteTables: "routeTableSet",
  DescribeNatGateways: "natGatewaySet",
  DescribeVpcEndpoints: "vpcEndpointSet",
  DescribeNetworkInterfaces: "networkInterfaceSet",
  DescribeSecurityGroups: "securityGroupInfo",
};
const filtered: Readonly<Record<string, string>> = {
  "subnet-id": "subnetId",
  "vpc-id": "vpcId",
  "group-id": "groupId",
  "service-name": "serviceName",
  "addresses.private-ip-address": "privateIpAddress",
  "addresses.association.public-ip": "publicIp",
};

function listed({ network = {} }: PlayedAccount, operation: string, form: URLSearchParams): object {
  const list = lists[operation] ?? operation;
  const passes = (item: Record<string, unknown>) =>
    [1, 2].every((n) => {
      const name = form.get(`Filter.${n}.Name`);
      if (name === null) return true;
      const actual = String(item[filtered[name] ?? name]);
      const values = [...form].flatMap(([key, value]) => (key.startsWith(`Filter.${n}.Value.`) ? [value] : []));
      return values.some((value) => (value.startsWith("*") ? actual.endsWith(value.slice(1)) : actual === value));
    });
  return { [list]: (network[list] ?? []).filter(passes) };
}

function simulated({ mayRole = () => true }: PlayedAccount, form: URLSearchParams): object {
  const members = (name: string) =>
    [...form].flatMap(([key, value]) => (key.startsWith(`${name}.member.`) ? [value] : []));
  const conditions = Object.fromEntries(
    [...form].flatMap(([key, value]) => {
      const [, n] = /^ContextEntries\.member\.(\d+)\.ContextKeyName$/.exec(key) ?? [];
      return n ? [[value, form.get(`ContextEntries.member.${n}.ContextKeyValues.member.1`) ?? ""]] : [];
    }),
  );
  const [resource = ""] = members("ResourceArns");
  return {
    EvaluationResults: members("ActionNames").map((EvalActionName) => {
      const may = mayRole(EvalActionName, resource, conditions);
      const {
        decision,
        missing = [],
        by,
      } = typeof may === "object" && "decision" in may
        ? may
        : ({
            decision: may === true ? "allowed" : "implicitDeny",
            missing: Array.isArray(may) ? may : [],
          } as Decided);
      const boundary = by === "boundary" && {
        PermissionsBoundaryDecisionDetail: { AllowedByPermissionsBoundary: false },
      };
      const ofAll = {
        EvalActionName,
        EvalResourceName: resource,
        EvalDecision: decision,
        ...(by === "organization" && { OrganizationsDecisionDetail: { AllowedByOrganizations: false } }),
        ...boundary,
      };
      // What is missing is said where "*" is asked about, of ARNs in the result of each.
      if (resource === "*") return { ...ofAll, MissingContextValues: missing };
      const ofResource = {
        EvalResourceName: resource,
        EvalResourceDecision: decision,
        MissingContextValues: missing,
        ...boundary,
      };
      return { ...ofAll, MissingContextValues: [], ResourceSpecificResults: [ofResource] };
    }),
  };
}

/** As EC2 and IAM write it: a list is as many elements of one name. */
function xml(value: unknown, member: string): string {
  if (Array.isArray(value)) return value.map((each) => `<${member}>${xml(each, member)}</${member}>`).join("");
  if (typeof value !== "object" || value === null) return String(value);
  return Object.entries(value)
    .map(([name, each]) => `<${name}>${xml(each, member)}</${name}>`)
    .join("");
}

const json = (body: object): Answer => ({ body: JSON.stringify(body) });

const notFound = (errorType: string): Answer => ({
  status: 404,
  errorType,
  body: JSON.stringify({ __type: errorType }),
});

function denial(service: string | undefined, action: string): Answer {
  const message = `not authorized to perform: ${action}`;
  switch (service) {
    case "ec2":
      return {
        status: 403,
        body: xml({ Response: { Errors: { Error: { Code: "UnauthorizedOperation", Message: message } } } }, "item"),
      };
    case "iam":
      return {
        status: 403,
        body: xml({ ErrorResponse: { Error: { Code: "AccessDenied", Message: message } } }, "member"),
      };
    default: {
      const errorType = "AccessDeniedException";
      return { status: 400, errorType, body: JSON.stringify({ __type: errorType, message }) };
    }
  }
}
