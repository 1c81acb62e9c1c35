import {
  keyOperations,
  logOperations,
  networkInterfaceOperations,
  type Permission,
  permissionsOf,
  readKeyOperations,
  type Strategy,
  secretOperations,
} from "@quarterturn/core";
import { adminSecretOperations } from "@quarterturn/database";
import type { Product } from "../engines.ts";
import { type Place, placeOf } from "./place.ts";
import { nameOf } from "./rotation-function.ts";
import type { Need } from "./simulation.ts";

/** What is to be known of a rotation, to say what its function's role needs. */
export interface Needing {
  readonly place: Place;
  readonly secretArn: string;
  readonly functionArn: string;
  readonly isInVpc: boolean;
  readonly logGroup: string;
  readonly strategy: Strategy;
  /** The function's environment. */
  readonly settings: Readonly<Record<string, string>>;
  /** Absent where the secret is of no database that is known here. */
  readonly product?: Product;
  /** The server's name, absent as the product is. */
  readonly host?: string;
  readonly adminSecretArn?: string;
  /** Whether only AWS's own API says that the admin's server is the secret's; undefined where nobody can say. */
  readonly asksForServers: boolean | undefined;
  /** Whether the function is Active: Lambda has made its network interfaces. */
  readonly isActive: boolean;
}

const of = (service: string) => (operation: string) => `${service}:${operation}`;

/** What the templates would grant, of that what this rotation uses. */
export function roleNeeds(rotation: Needing): readonly Need[] {
  const { place, secretArn, functionArn, isInVpc, isActive, logGroup, product, strategy, adminSecretArn } = rotation;
  const arn = arnIn(place);
  // Of all calls but those that make network interfaces.
  // https://docs.aws.amazon.com/lambda/latest/dg/permissions-source-function-arn.html
  const source = { "lambda:SourceFunctionArn": functionArn.split(":").slice(0, 7).join(":") };
  return [
    {
      actions: secretOperations.map(of("secretsmanager")),
      resources: [secretArn],
      why: "the secret",
      conditions: { ...source, "secretsmanager:resource/AllowRotationLambdaArn": functionArn },
      ...policyOf(place, secretArn, "the secret's own policy"),
    },
    ...(adminSecretArn === undefined
      ? []
      : [
          {
            actions: adminSecretOperations.map(of("secretsmanager")),
            resources: [adminSecretArn],
            why: "the admin's secret",
            conditions: source,
            ...policyOf(place, adminSecretArn, "the admin secret's own policy"),
          },
        ]),
    ...(product ? permissionsOf({ manifest: product.manifest, strategy }) : [])
      .filter((permission) => isUsed(permission, rotation))
      .map(({ service, operations, resources, condition, why, setting }) => ({
        actions: operations.map(of(service)),
        ...(resources ? resourcesOf(resources, rotation) : { resources: ["*"] }),
        why: why.replace(/\.$/, ""),
        conditions: { ...source, ...knownOf(condition) },
        ...(!setting && rotation.asksForServers === undefined && { neededIf: asking }),
      })),
    {
      actions: logOperations.map(of("logs")),
      resources: [arn(`logs:log-group:${logGroup}:log-stream:any`)],
      why: "the function's log",
      conditions: source,
      isSpare: true,
    },
    ...(isInVpc
      ? [
          {
            actions: networkInterfaceOperations.make.map(of("ec2")),
            resources: ["*"],
            why: "Lambda, to run it in the VPC",
            elseDecides: narrower,
            isSpare: isActive,
          },
          {
            actions: networkInterfaceOperations.takeAway.map(of("ec2")),
            resources: [arn("ec2:network-interface/*")],
            why: "Lambda, to run it in the VPC",
            elseDecides: narrower,
            isSpare: isActive,
          },
        ]
      : []),
  ];
}

const asking = "whether AWS has to be asked which server the admin's secret is for";
const narrower = "the real resource, which is not known here";

/** A policy of a resource may allow what the role's do not, but in another account only both together. */
const policyOf = ({ account }: Place, arn: string, policy: string): Pick<Need, "elseDecides"> =>
  placeOf(arn).account === account ? { elseDecides: `${policy}, which is not looked at` } : {};

/** A manifest's resources, with the cluster that the server's name begins with; IAM takes a `*` that stays by the letter. */
function resourcesOf(
  resources: readonly string[],
  { place, functionArn, host = "" }: Needing,
): Pick<Need, "resources" | "elseDecides"> {
  const [, cluster] = /^([^.]+)\.[^.]+\.[^.]+\.redshift\.amazonaws\.com(?:\.cn)?$/.exec(host) ?? [];
  if (cluster !== undefined && resources.includes("redshift:cluster:*"))
    return { resources: [arnIn(place)(`redshift:cluster:${cluster}`)] };
  return {
    resources: resources.map((each) => arnIn(place)(each.replace(/\$\{functionName\}/, nameOf(functionArn)))),
    elseDecides: narrower,
  };
}

/** What a key of a secret's own is used for: the admin's secret is only read. */
export function keyNeeds(
  place: Place,
  keyArn: string,
  secretArn: string,
  why: "the key" | "the admin secret's key",
): readonly Need[] {
  const operations = why === "the key" ? keyOperations : readKeyOperations;
  const { region } = place;
  const domain = region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
  return [
    {
      actions: operations.map(of("kms")),
      resources: [keyArn],
      why,
      conditions: {
        "kms:ViaService": `secretsmanager.${region}.${domain}`,
        "kms:EncryptionContext:SecretARN": secretArn,
      },
      ...policyOf(place, keyArn, `${why === "the key" ? "the key's" : "that key's"} own policy`),
    },
  ];
}

/** What a setting asks for is needed with its value only; the rest finds out which server an admin's secret is for. */
const isUsed = ({ setting }: Permission, { settings, asksForServers }: Needing): boolean =>
  setting ? settings[setting.name] === setting.value : asksForServers !== false;

const arnIn =
  ({ partition, region, account }: Place) =>
  (resource: string): string => {
    const [service, ...rest] = resource.split(":");
    return `arn:${partition}:${service}:${region}:${account}:${rest.join(":")}`;
  };

/** The role's own calls fulfil what a manifest's permission is limited to. */
function knownOf(condition: Permission["condition"] = {}): Record<string, string> {
  const entries = Object.values(condition).flatMap((keys) => Object.entries(keys));
  if (entries.length === 0) return {};
  return {
    "aws:userid": "role:function",
    ...Object.fromEntries(entries.map(([key, value]) => [key, value.replace(/\$\{aws:userid\}/, "role:function")])),
  };
}
