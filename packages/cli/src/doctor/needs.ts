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
import type { Place } from "./place.ts";
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
  readonly adminSecretArn?: string;
  /** Whether only AWS's own API says that the admin's server is the secret's. */
  readonly asksForServers: boolean;
}

const of = (service: string) => (operation: string) => `${service}:${operation}`;

/** What the templates would grant, of that what this rotation uses. */
export function roleNeeds(rotation: Needing): readonly Need[] {
  const { secretArn, functionArn, isInVpc, logGroup, product, strategy, adminSecretArn } = rotation;
  const arn = arnIn(rotation.place);
  return [
    {
      actions: secretOperations.map(of("secretsmanager")),
      resources: [secretArn],
      why: "the secret",
      conditions: { "secretsmanager:resource/AllowRotationLambdaArn": functionArn },
    },
    ...(adminSecretArn === undefined
      ? []
      : [
          {
            actions: adminSecretOperations.map(of("secretsmanager")),
            resources: [adminSecretArn],
            why: "the admin's secret",
          },
        ]),
    ...(product ? permissionsOf({ manifest: product.manifest, strategy }) : [])
      .filter((permission) => isUsed(permission, rotation))
      .map(({ service, operations, resources = [], condition, why }) => ({
        actions: operations.map(of(service)),
        resources:
          resources.length === 0
            ? ["*"]
            : resources.map((each) => arn(each.replace(/\$\{functionName\}/, nameOf(functionArn)))),
        why: why.replace(/\.$/, ""),
        conditions: knownOf(condition),
      })),
    {
      actions: logOperations.map(of("logs")),
      resources: [arn(`logs:log-group:${logGroup}:*`)],
      why: "the function's log",
    },
    ...(isInVpc
      ? [
          {
            actions: networkInterfaceOperations.make.map(of("ec2")),
            resources: ["*"],
            why: "Lambda, to run it in the VPC",
          },
          {
            actions: networkInterfaceOperations.takeAway.map(of("ec2")),
            resources: [arn("ec2:network-interface/*")],
            why: "Lambda, to run it in the VPC",
          },
        ]
      : []),
  ];
}

/** What a key of a secret's own is used for: the admin's secret is only read. */
export function keyNeeds(
  { region }: Place,
  keyArn: string,
  secretArn: string,
  why: "the key" | "the admin secret's key",
): readonly Need[] {
  const operations = why === "the key" ? keyOperations : readKeyOperations;
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
    },
  ];
}

/** What a setting asks for is needed with its value only; the rest finds out which server an admin's secret is for. */
const isUsed = ({ setting }: Permission, { settings, asksForServers }: Needing): boolean =>
  setting ? settings[setting.name] === setting.value : asksForServers;

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
