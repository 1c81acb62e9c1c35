import { S3ServiceException } from "@aws-sdk/client-s3";
import { bucketPolicy } from "./permissions.ts";

/** What a failed call means to whoever publishes, and what to do: one line, but for a policy. Other errors: their message. */
export function explain(
  error: unknown,
  { bucket, region }: { readonly bucket: string; readonly region: string },
): string {
  const { name, message, code, status, attempts, location } = failure(error);
  if (name === "CredentialsProviderError") return withoutCredentials(message, process.env.AWS_PROFILE);
  if (networkCodes.has(code) || networkCodes.has(name))
    return `AWS was not reached (${code || name}): look at the network, then run the command again`;
  if (rejectedCredentials.has(name))
    return `the AWS credentials are not accepted (${name}): renew them, then run the command again`;
  if (location !== undefined && location !== region) return inAnotherRegion(location, region);
  if (name === "NoSuchBucket" || (error instanceof S3ServiceException && status === 404))
    return `there is no bucket ${bucket}: make it in ${region}, or give another with --bucket`;
  // What the SDK says where the answer has no body, which is so with HEAD.
  if (error instanceof S3ServiceException && message === "UnknownError" && (status === 400 || status === 403))
    return `S3 refused with status ${status} and gives no reason: see that you have the policy of tools/publish-sar/README.md, that the bucket is yours, that the credentials are valid, and that the clock is right`;
  if (message.includes("Failed to copy S3 object"))
    return `the repository cannot read the bucket (${message}): give it this policy, with your account's number, then run the command again\n${bucketPolicy(bucket)}`;
  if (status === 429 || throttled.test(name))
    return `AWS wants fewer requests, after ${attempts} tries: wait a minute, then run the command again, which goes on from here`;
  if (status === 403)
    return `not allowed (${name}: ${message}): tools/publish-sar/README.md has the policy that a publisher needs`;
  if (name === "ConflictException")
    return `${message}: somebody else published it meanwhile, or the list is not up to date yet; run the command again in a minute`;
  if (status !== undefined && status >= 500)
    return `AWS failed (${name}: ${message}), after ${attempts} tries: run the command again, which goes on from here`;
  if (status === undefined) return message;
  return `refused (${name}: ${message})`;
}

/** S3 says it in its answer, and where the region is another one in its refusal. */
export const inAnotherRegion = (actual: string, region: string) =>
  `it is in ${actual}: give a bucket in ${region}, or --region ${actual}`;

function withoutCredentials(message: string, profile: string | undefined): string {
  const wasNothingFound = message === "Could not load credentials from any providers";
  if (!wasNothingFound) {
    const from = profile ? ` from the profile ${profile}, which AWS_PROFILE names` : "";
    return `no AWS credentials${from}: ${message.replaceAll(/\s+/g, " ")}`;
  }
  if (profile)
    return `no AWS credentials were found in the profile ${profile}, which AWS_PROFILE names: correct the name, or the profile in ~/.aws/config or ~/.aws/credentials`;
  return "no AWS credentials were found: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";
}

const networkCodes = new Set([
  "ENOTFOUND",
  "EAI_AGAIN",
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EPIPE",
  "ETIMEDOUT",
  "TimeoutError",
]);

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/CommonErrors.html, and https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
const rejectedCredentials = new Set([
  "ExpiredToken",
  "ExpiredTokenException",
  "InvalidAccessKeyId",
  "InvalidClientTokenId",
  "InvalidSignatureException",
  "InvalidToken",
  "SignatureDoesNotMatch",
  "UnrecognizedClientException",
]);

const throttled = /^(Throttling|TooManyRequests|SlowDown|RequestLimitExceeded)/;

interface Failure {
  readonly name: string;
  readonly message: string;
  readonly code: string;
  readonly status: number | undefined;
  readonly attempts: number;
  /** The bucket's region, which S3 says also when it refuses. */
  readonly location: string | undefined;
}

/** What the SDK's errors of services, of the network and of credentials hold. */
function failure(error: unknown): Failure {
  if (!(error instanceof Error))
    return { name: "", message: String(error), code: "", status: undefined, attempts: 1, location: undefined };
  const { code, $metadata, $response } = error as SdkError;
  return {
    name: error.name,
    message: error.message,
    code: code ?? "",
    status: $metadata?.httpStatusCode,
    attempts: $metadata?.attempts ?? 1,
    location: $response?.headers?.["x-amz-bucket-region"],
  };
}

interface SdkError extends Error {
  readonly code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly attempts?: number };
  readonly $response?: { readonly headers?: Readonly<Record<string, string>> };
}
