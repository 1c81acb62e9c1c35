import { replicationStatus } from "./answers.ts";
import { invalidParameter, invalidRequest } from "./errors.ts";
import type { Input } from "./input.ts";
import type { Service } from "./service.ts";
import { requireUsableSecret, type Secret } from "./state.ts";

export function replicateSecretToRegions(service: Service, input: Input<"ReplicateSecretToRegions">) {
  const secret = requireUsableSecret(service.state, input.SecretId);
  addReplicas(service, secret, input.AddReplicaRegions);
  return answer(service, secret);
}

export function removeRegionsFromReplication(service: Service, input: Input<"RemoveRegionsFromReplication">) {
  const secret = requireUsableSecret(service.state, input.SecretId);
  const unknown = input.RemoveReplicaRegions.find((name) => !secret.replicas.some(({ region }) => region === name));
  if (unknown !== undefined) throw invalidParameter(`The secret isn't replicated to ${unknown}.`);
  secret.replicas = secret.replicas.filter(({ region }) => !input.RemoveReplicaRegions.includes(region));
  return answer(service, secret);
}

/** To be called in a replica's Region; this endpoint is the primary Region of all its secrets. */
export function stopReplicationToReplica(service: Service, input: Input<"StopReplicationToReplica">): never {
  const secret = requireUsableSecret(service.state, input.SecretId);
  throw invalidRequest(`Secret ${secret.name} is not a replica: call this operation in the replica's Region.`);
}

/** Stored, and InSync at once: there is no other Region to copy to. */
export function addReplicas(
  service: Service,
  secret: Secret,
  regions: Input<"ReplicateSecretToRegions">["AddReplicaRegions"],
): void {
  const replicas = [...secret.replicas];
  for (const { Region: region, KmsKeyId } of regions) {
    if (region === service.region) throw invalidParameter(`The secret's own Region ${region} can't be a replica.`);
    if (replicas.some((replica) => replica.region === region)) {
      throw invalidParameter(`The secret is already replicated to ${region}.`);
    }
    replicas.push({ region, ...(KmsKeyId !== undefined && { kmsKeyId: KmsKeyId }), status: "InSync" });
  }
  secret.replicas = replicas;
}

function answer(service: Service, secret: Secret) {
  secret.changedAt = service.now();
  return { ARN: secret.arn, ReplicationStatus: replicationStatus(secret.replicas) };
}
