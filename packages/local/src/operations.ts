import { type Input, inputSchemas, type OperationName } from "./input.ts";
import { listSecrets } from "./listing.ts";
import { deleteResourcePolicy, getResourcePolicy, putResourcePolicy, validateResourcePolicy } from "./policies.ts";
import { randomPassword } from "./random-password.ts";
import { removeRegionsFromReplication, replicateSecretToRegions, stopReplicationToReplica } from "./replication.ts";
import { readInput } from "./request-body.ts";
import { cancelRotateSecret, rotateSecret } from "./rotation-requests.ts";
import {
  createSecret,
  deleteSecret,
  describeSecret,
  restoreSecret,
  tagResource,
  untagResource,
  updateSecret,
} from "./secrets.ts";
import type { Service } from "./service.ts";
import { unknownOperation } from "./service-error.ts";
import {
  batchGetSecretValue,
  getSecretValue,
  listSecretVersionIds,
  putSecretValue,
  updateSecretVersionStage,
} from "./versions.ts";

type Operations = { [Name in OperationName]: (service: Service, input: Input<Name>) => object };

const operations: Operations = {
  BatchGetSecretValue: batchGetSecretValue,
  CancelRotateSecret: cancelRotateSecret,
  CreateSecret: createSecret,
  DeleteResourcePolicy: deleteResourcePolicy,
  DeleteSecret: deleteSecret,
  DescribeSecret: describeSecret,
  GetRandomPassword: (_service, input) => ({ RandomPassword: randomPassword(input) }),
  GetResourcePolicy: getResourcePolicy,
  GetSecretValue: getSecretValue,
  ListSecretVersionIds: listSecretVersionIds,
  ListSecrets: listSecrets,
  PutResourcePolicy: putResourcePolicy,
  PutSecretValue: putSecretValue,
  RemoveRegionsFromReplication: removeRegionsFromReplication,
  ReplicateSecretToRegions: replicateSecretToRegions,
  RestoreSecret: restoreSecret,
  RotateSecret: rotateSecret,
  StopReplicationToReplica: stopReplicationToReplica,
  TagResource: tagResource,
  UntagResource: untagResource,
  UpdateSecret: updateSecret,
  UpdateSecretVersionStage: updateSecretVersionStage,
  ValidateResourcePolicy: validateResourcePolicy,
};

/** @throws UnknownOperationException */
export function requireOperation(name: string): OperationName {
  if (!Object.hasOwn(operations, name)) throw unknownOperation();
  return name as OperationName;
}

/** Reads an operation's input and carries it out. `onSecretId` learns which secret it is about, also if it fails. */
export function perform<Name extends OperationName>(
  service: Service,
  name: Name,
  body: Uint8Array,
  onSecretId: (secretId: string) => void,
): object {
  const input = readInput(inputSchemas[name], body) as Input<Name>;
  if ("SecretId" in input && typeof input.SecretId === "string") onSecretId(input.SecretId);
  return operations[name](service, input);
}
