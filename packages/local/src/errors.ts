import { accessDenied, ServiceError } from "./service-error.ts";

export const invalidRequest = (message: string) => new ServiceError("InvalidRequestException", message);

export const invalidParameter = (message: string) => new ServiceError("InvalidParameterException", message);

export const limitExceeded = (message: string) => new ServiceError("LimitExceededException", message);

export const secretNotFound = () =>
  new ServiceError("ResourceNotFoundException", "Secrets Manager can't find the specified secret.");

export const valueNotFoundForLabel = (label: string) =>
  new ServiceError(
    "ResourceNotFoundException",
    `Secrets Manager can't find the specified secret value for staging label: ${label}`,
  );

export const valueNotFoundForVersion = (versionId: string) =>
  new ServiceError(
    "ResourceNotFoundException",
    `Secrets Manager can't find the specified secret value for VersionId: ${versionId}`,
  );

export const markedForDeletion = () =>
  invalidRequest("You can't perform this operation on the secret because it was marked for deletion.");

export const functionNotInvokable = () =>
  accessDenied(
    "Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy grants access to the principal secretsmanager.amazonaws.com.",
  );

export const tokenInUse = (token: string, arn: string) =>
  new ServiceError(
    "ResourceExistsException",
    `You can't use ClientRequestToken ${token} because that value is already in use for a version of secret ${arn}.`,
  );

export const invalidNextToken = () =>
  new ServiceError("InvalidNextTokenException", "The NextToken value is not one that this operation returned.");
