import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from "@aws-sdk/client-secrets-manager";
import type { Deadline } from "./deadline.ts";
import { RotationError, reasonOf } from "./errors.ts";
import { AWSPENDING } from "./labels.ts";
import type { SecretStore } from "./store.ts";

/** How often each operation was sent, retries included. */
export type ApiCalls = Partial<
  Record<"DescribeSecret" | "GetSecretValue" | "PutSecretValue" | "UpdateSecretVersionStage", number>
>;

/** A client for a rotation: short timeouts, since an endpoint that cannot be reached must be reported while there is time. */
export function secretsManagerClient(endpoint: string | undefined): SecretsManagerClient {
  return new SecretsManagerClient({
    ...(endpoint === undefined ? {} : { endpoint }),
    maxAttempts: 3,
    requestHandler: { connectionTimeout: 3_000, requestTimeout: 5_000, throwOnRequestTimeout: true },
  });
}

/**
 * The store of one invocation, over Secrets Manager.
 *
 * @param learn hears each secret text before anything is done with it, for redaction
 * @param calls is counted up
 */
export function secretsManagerStore(
  client: SecretsManagerClient,
  deadline: Deadline,
  learn: (secretText: string) => void,
  calls: ApiCalls,
): SecretStore {
  async function call<Output>(
    operation: keyof ApiCalls,
    secretId: string,
    send: (options: { abortSignal: AbortSignal }) => Promise<Output>,
    expected?: { readonly name: string; readonly means: Output },
  ): Promise<Output> {
    const count = (attempts: number | undefined) => {
      calls[operation] = (calls[operation] ?? 0) + (attempts ?? 1);
    };
    try {
      const output = await send({ abortSignal: AbortSignal.timeout(deadline.share()) });
      count(metadataOf(output)?.attempts);
      return output;
    } catch (error) {
      if (isNotConfigured(error)) throw notConfigured(error);
      count(metadataOf(error)?.attempts);
      if (expected && error instanceof Error && error.name === expected.name) return expected.means;
      throw await translate(error, operation, secretId, client);
    }
  }

  return {
    async describe(secretId) {
      const output = await call("DescribeSecret", secretId, (options) =>
        client.send(new DescribeSecretCommand({ SecretId: secretId }), options),
      );
      return {
        ...(output.RotationEnabled === undefined ? {} : { rotationEnabled: output.RotationEnabled }),
        versions: output.VersionIdsToStages ?? {},
        laggingReplicas: (output.ReplicationStatus ?? [])
          .filter((replica) => replica.Status !== "InSync")
          .map((replica) => ({ region: replica.Region ?? "unknown region", status: replica.Status ?? "unknown" })),
        tags: Object.fromEntries((output.Tags ?? []).map((tag) => [tag.Key ?? "", tag.Value ?? ""])),
        ...(output.KmsKeyId === undefined ? {} : { kmsKeyId: output.KmsKeyId }),
      };
    },

    async read(secretId, which) {
      const input = "version" in which ? { VersionId: which.version } : { VersionStage: which.label };
      const output = await call(
        "GetSecretValue",
        secretId,
        (options) => client.send(new GetSecretValueCommand({ SecretId: secretId, ...input }), options),
        { name: "ResourceNotFoundException", means: undefined },
      );
      if (!output) return undefined;
      if (output.SecretString === undefined) {
        throw new RotationError(
          "bad-secret",
          `The value of ${secretId} is binary`,
          "This try changed nothing. Store it as text (SecretString), then rotate again.",
        );
      }
      learn(output.SecretString);
      return { id: output.VersionId ?? "", labels: output.VersionStages ?? [], text: output.SecretString };
    },

    async putPending(secretId, token, text, rotationToken) {
      learn(text);
      const command = new PutSecretValueCommand({
        SecretId: secretId,
        ClientRequestToken: token,
        SecretString: text,
        VersionStages: [AWSPENDING],
        ...(rotationToken === undefined ? {} : { RotationToken: rotationToken }),
      });
      try {
        const output = await call("PutSecretValue", secretId, (options) => client.send(command, options), {
          name: "ResourceExistsException",
          means: undefined,
        });
        return output ? "written" : "exists";
      } catch (error) {
        if (error instanceof RotationError && wasRefused(error.cause)) return { refused: error };
        throw error;
      }
    },

    async move(secretId, move) {
      const command = new UpdateSecretVersionStageCommand({
        SecretId: secretId,
        VersionStage: move.label,
        MoveToVersionId: move.to,
        RemoveFromVersionId: move.from,
      });
      const output = await call("UpdateSecretVersionStage", secretId, (options) => client.send(command, options), {
        name: "InvalidParameterException",
        means: undefined,
      });
      return output ? "moved" : "conflict";
    },
  };
}

/** What the SDK says about an answer, or an error that the service answered with. */
function metadataOf(answer: unknown): { readonly attempts?: number; readonly httpStatusCode?: number } | undefined {
  return (answer as { $metadata?: object } | undefined)?.$metadata;
}

/** The service answered the only attempt with a fault of the request: of several, an earlier one may have been carried out. */
function wasRefused(error: unknown): boolean {
  const { httpStatusCode = 0, attempts } = metadataOf(error) ?? {};
  return attempts === 1 && httpStatusCode >= 400 && httpStatusCode < 500;
}

/** The SDK found no region or no credentials, and sent nothing. */
function isNotConfigured(error: unknown): boolean {
  return error instanceof Error && (error.name === "CredentialsProviderError" || error.message === "Region is missing");
}

function notConfigured(error: unknown): RotationError {
  return new RotationError(
    "bad-setting",
    `There are no AWS credentials or no region to call Secrets Manager with (${reasonOf(error)})`,
    "Lambda gives a function both. Elsewhere set AWS_REGION, and AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or a profile; for the local endpoint any value will do, with SECRETS_MANAGER_ENDPOINT set to its URL.",
    { cause: error },
  );
}

async function translate(
  error: unknown,
  operation: string,
  secretId: string,
  client: SecretsManagerClient,
): Promise<RotationError> {
  const name = error instanceof Error ? error.name : "";
  const code = (error as NodeJS.ErrnoException).code ?? "";
  const endpoint =
    (await client.config.endpoint?.())?.hostname ?? `secretsmanager of region ${await client.config.region()}`;
  const because = { cause: error };
  if (name === "AccessDeniedException" || name === "DecryptionFailure" || name === "EncryptionFailure") {
    return new RotationError(
      "privilege",
      `${operation} of ${secretId} was refused: ${reasonOf(error).replace(/\.$/, "")}`,
      "Allow it in the function's role (and in the KMS key's policy where the secret has a key of its own).",
      because,
    );
  }
  if (
    ["TimeoutError", "AbortError"].includes(name) ||
    /^(E[A-Z_]+|EAI_AGAIN|ERR_TLS\w*|CERT\w*|UNABLE\w*|SELF\w*|DEPTH\w*)$/.test(code)
  ) {
    return new RotationError(
      name === "AbortError" ? "timeout" : "unreachable",
      `${operation} of ${secretId}: no answer from ${endpoint} (${reasonOf(error)})`,
      "A function in a VPC needs a Secrets Manager endpoint in that VPC, or a NAT gateway, and security groups that let it out on port 443. SECRETS_MANAGER_ENDPOINT must be a URL that this network reaches.",
      because,
    );
  }
  return new RotationError(
    "service",
    `${operation} of ${secretId} failed: ${name || code || "Error"}: ${reasonOf(error).replace(/\.$/, "")}`,
    "Nothing more was changed by this call. The service tries the rotation again.",
    because,
  );
}
