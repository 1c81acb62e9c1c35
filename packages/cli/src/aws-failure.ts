import { reasonOf } from "@quarterturn/core";
import type { Context } from "./context.ts";
import { Failure } from "./failure.ts";
import type { Secret } from "./secret.ts";

interface Mistake {
  /** The error's name or code, followed by its message. */
  readonly of: RegExp;
  tell(facts: Facts): readonly [what: string, next: string];
}

interface Facts {
  readonly secretId: string;
  readonly region: string;
  readonly endpoint: string;
  readonly said: string;
  readonly attempts: number;
  readonly context: Context;
}

/**
 * What lets Secrets Manager invoke a function for an account.
 *
 * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets-required-permissions-function.html
 */
function invocationCommand({ aws }: Context, functionArn: string, account: string): string {
  const allowed = ["--action", "lambda:InvokeFunction", "--principal", "secretsmanager.amazonaws.com"];
  const permission = ["--statement-id", "SecretsManager", ...allowed, "--source-account", account];
  return aws("lambda", "add-permission", "--function-name", functionArn, ...permission);
}

/**
 * @param undone what was not done, e.g. `No rotation was begun`
 * @returns an error of RotateSecret as it is; where Secrets Manager could not invoke the function, a Failure that says how it may
 */
export function notInvoked(
  error: unknown,
  context: Context,
  { id, arn }: Pick<Secret, "id" | "arn">,
  functionArn: string | undefined,
  undone: string,
): unknown {
  const isIt =
    error instanceof Error && /^AccessDeniedException .*cannot invoke/.test(`${error.name} ${error.message}`);
  if (!isIt || functionArn === undefined) return error;
  const exists = context.aws("lambda", "get-function", "--function-name", functionArn);
  const allow = invocationCommand(context, functionArn, arn.split(":")[4] ?? "");
  return new Failure(
    "aws",
    `${undone}: Secrets Manager cannot invoke ${functionArn}, which was deleted, or its policy does not allow it`,
    `See whether it exists: ${exists}; allow it: ${allow}; or set another: ${context.next("enable", id)}`,
    { cause: error },
  );
}

/** What an error of the SDK means for an operator. The first that matches counts. */
const mistakes: readonly Mistake[] = [
  {
    of: /^Error Region /,
    tell: ({ said }) => [
      `No usable Region is set (${said})`,
      "Give --region, or set AWS_REGION, or name one in the profile.",
    ],
  },
  {
    of: /^(ExpiredToken|ExpiredTokenException|TokenProviderError)\b|security token .* is expired|session .* has expired|SSO session|token.* expired/i,
    tell: ({ context }) => [
      "The AWS session has expired",
      `Log in again: ${context.aws("sso", "login")}, or however this session was begun; then run the same command again.`,
    ],
  },
  {
    of: /^CredentialsProviderError .*(multi-factor|MFA)/i,
    tell: ({ context: { aws }, said }) => {
      const take = aws("configure", "export-credentials", "--format", "env");
      return [
        `This profile takes a code of a multi-factor device (${said})`,
        `The AWS CLI asks for it: eval "$(${take})"; then run the same command again with --region instead of --profile, and with AWS_PROFILE unset.`,
      ];
    },
  },
  {
    of: /^CredentialsProviderError|Could not resolve credentials/,
    tell: ({ context, said }) => [
      `There are no AWS credentials to call Secrets Manager with (${said})`,
      `See which there are: ${context.aws("configure", "list")}. For the local endpoint set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to anything.`,
    ],
  },
  {
    of: /^(UnrecognizedClient|InvalidSignature|IncompleteSignature|MissingAuthenticationToken|InvalidClientTokenId|SignatureDoesNotMatch)/,
    tell: ({ context, said }) => [
      `AWS does not know these credentials (${said})`,
      `See whose they are: ${context.aws("sts", "get-caller-identity")}.`,
    ],
  },
  {
    of: /^(AccessDenied|AccessDeniedException|UnauthorizedOperation|DecryptionFailure|EncryptionFailure)\b/,
    tell: ({ secretId, said, context }) => [
      `AWS does not allow this for ${secretId === "" ? "this identity" : `"${secretId}"`} (${said})`,
      `See who you are: ${context.aws("sts", "get-caller-identity")}. The README of quarterturn lists what each command needs.`,
    ],
  },
  {
    of: /^ResourceNotFoundException .*(secret value|staging label)/,
    tell: ({ secretId, said, context }) => [
      `"${secretId}" has no such version (${said})`,
      `See those that there are: ${context.next("status", secretId)}.`,
    ],
  },
  {
    of: /^ResourceNotFoundException/,
    tell: ({ secretId, region, context }) => [
      `There is no secret "${secretId}" in ${region}`,
      `See those that there are: ${context.next("status", "--all")}; or give another --region.`,
    ],
  },
  {
    of: /^InvalidRequestException .*No Lambda rotation function/i,
    tell: ({ secretId, context }) => [
      `"${secretId}" has no rotation: no function is set`,
      `Set one: ${context.next("enable", secretId)}`,
    ],
  },
  {
    of: /^InvalidRequestException .*previous rotation/i,
    tell: ({ secretId, context }) => [
      `A rotation of "${secretId}" is in progress already, and the service now tries it again`,
      `See how far it is: ${context.next("status", secretId)}; end it: ${context.next("cancel", secretId, "--clear-pending")}.`,
    ],
  },
  {
    of: /^InvalidRequestException .*(marked for deletion|marked deleted|scheduled for deletion)/i,
    tell: ({ secretId, context }) => [
      `"${secretId}" is marked for deletion`,
      `If it is needed: ${context.aws("secretsmanager", "restore-secret", "--secret-id", secretId)}.`,
    ],
  },
  {
    of: /^(Throttling|ThrottlingException|TooManyRequestsException|RequestLimitExceeded|SlowDown|LimitExceededException .*rate)/,
    tell: ({ attempts }) => [
      `AWS answers that there are too many requests, ${attempts} times in a row`,
      "Run the same command again in a minute; AWS_MAX_ATTEMPTS=10 tries more often.",
    ],
  },
  {
    of: /^(ValidationException|InvalidParameterException|InvalidRequestException)\b/,
    tell: ({ secretId, said, context }) => [
      `AWS refuses this${secretId === "" ? "" : ` for "${secretId}"`} (${said})`,
      `Correct that, if it is of the command line; how the secret is: ${context.next("status", secretId || "--all")}`,
    ],
  },
  {
    of: /^(TimeoutError|NetworkingError|ECONN\w+|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|EPIPE|ETIMEDOUT|CERT\w*|UNABLE\w*|SELF\w*|DEPTH\w*|ERR_TLS\w*)/,
    tell: ({ endpoint, said }) => [
      `No answer from ${endpoint} (${said})`,
      "Check the network, --region and --endpoint-url.",
    ],
  },
  {
    of: /^(ERR_INVALID_URL|Unknown|SyntaxError)\b/,
    tell: ({ said }) => [
      `What answers is no endpoint of AWS (${said})`,
      "Check --endpoint-url, and AWS_ENDPOINT_URL in the environment: each is a URL with https:// or http://.",
    ],
  },
];

/**
 * An error that the SDK threw, as one line with the next command.
 *
 * @param secretId what was asked about
 */
export async function awsFailure(error: unknown, secretId: string | undefined, context: Context): Promise<Failure> {
  if (error instanceof Failure) return error;
  const said = context.redactor.redact(reasonOf(error)).replace(/\.$/, "");
  const name = nameOf(error);
  if (name === undefined) throw error;
  const facts: Facts = {
    secretId: secretId ?? "",
    said,
    attempts: attemptsOf(error),
    context,
    ...(await placeOf(context)),
  };
  const mistake = mistakes.find(({ of }) => of.test(`${name} ${said}`));
  const [what, next] = mistake?.tell(facts) ?? [
    `AWS answers ${name}: ${said}`,
    "Run the same command again; where that does not help, --debug shows which call it was.",
  ];
  return new Failure("aws", what, next, { cause: error });
}

/** The name of an error that the SDK throws, or its code where Node gave it one; undefined for an error of our own. */
function nameOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, $metadata } = error as Error & { code?: string; $metadata?: object };
  if (code !== undefined) return code;
  const isOfTheSdk = $metadata !== undefined || error.name !== "Error" || error.message.startsWith("Region ");
  return isOfTheSdk && !(error instanceof TypeError) ? error.name : undefined;
}

const attemptsOf = (error: unknown) => (error as { $metadata?: { attempts?: number } }).$metadata?.attempts ?? 1;

async function placeOf({ secretsManager, flags }: Context): Promise<Pick<Facts, "region" | "endpoint">> {
  const region = await secretsManager.config.region().catch(() => "no region");
  return { region, endpoint: flags.endpointUrl ?? `Secrets Manager in ${region}` };
}
