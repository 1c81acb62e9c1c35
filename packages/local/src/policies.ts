import { arnAndName } from "./answers.ts";
import type { Input } from "./input.ts";
import { isPublic, publicPolicy, readPolicy } from "./resource-policy.ts";
import type { Service } from "./service.ts";
import { ServiceError } from "./service-error.ts";
import { requireSecret, requireUsableSecret } from "./state.ts";

export function putResourcePolicy(service: Service, input: Input<"PutResourcePolicy">) {
  const secret = requireUsableSecret(service.state, input.SecretId);
  const policy = readPolicy(input.ResourcePolicy);
  if (input.BlockPublicPolicy === true && isPublic(policy)) throw publicPolicy();
  secret.policy = input.ResourcePolicy;
  return arnAndName(secret);
}

export function getResourcePolicy(service: Service, input: Input<"GetResourcePolicy">) {
  const secret = requireUsableSecret(service.state, input.SecretId);
  return { ...arnAndName(secret), ResourcePolicy: secret.policy };
}

export function deleteResourcePolicy(service: Service, input: Input<"DeleteResourcePolicy">) {
  const secret = requireUsableSecret(service.state, input.SecretId);
  delete secret.policy;
  return arnAndName(secret);
}

export function validateResourcePolicy(service: Service, input: Input<"ValidateResourcePolicy">) {
  if (input.SecretId !== undefined) requireSecret(service.state, input.SecretId);
  const errors = validationErrors(input.ResourcePolicy);
  return { PolicyValidationPassed: errors.length === 0, ValidationErrors: errors };
}

function validationErrors(document: string) {
  try {
    const open = isPublic(readPolicy(document));
    return open ? [{ CheckName: "BlockPublicPolicy", ErrorMessage: publicPolicy().message }] : [];
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    return [{ CheckName: error.code, ErrorMessage: error.message }];
  }
}
