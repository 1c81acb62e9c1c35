import { type ErrorCode, RotationError, reasonOf } from "@quarterturn/core";
import type { Statement } from "./transport.ts";

/** The action of IAM that a call needs. */
export type Action = `redshift-data:${string}` | `secretsmanager:${string}`;

/** What a call that did not succeed means. @param where server and user, for messages @param outcome what came of it, in brackets */
export function apiError(error: unknown, action: Action, where: string, outcome = ""): RotationError {
  const name = error instanceof Error ? error.name : "";
  const reason = reasonOf(error).replace(/\.$/, "");
  const [code, advice] = codeAndAdvice(name, reason, (error as NodeJS.ErrnoException).code ?? "");
  return new RotationError(code, `${where}: ${action} failed: ${name ? `${name}: ` : ""}${reason}${outcome}`, advice, {
    cause: error,
  });
}

function codeAndAdvice(name: string, reason: string, systemCode: string): readonly [ErrorCode, string] {
  if (
    /AccessDenied|UnrecognizedClient|EncryptionFailure|DecryptionFailure/.test(name) ||
    /not authorized to perform/.test(reason)
  ) {
    return [
      "privilege",
      "Allow it in the function's role. The Data API reads secrets with the function's rights: secretsmanager:GetSecretValue for the admin's secret and the probes', and kms:Decrypt where they have a key of their own.",
    ];
  }
  if (/paus(ed|ing)|resuming|not available/i.test(reason)) {
    return ["busy", "The cluster takes no statement now. Resume it; the service tries the rotation again."];
  }
  if (/Throttling|TooManyRequests|Active(Statements|Sessions|WaitingRequests)Exceeded|LimitExceeded/.test(name)) {
    return ["busy", "Too much is asked of this API in this account now. The service tries the rotation again."];
  }
  if (/endpoint doesn't exist|(cluster|workgroup).*not (be )?found/i.test(reason)) {
    return [
      "unreachable",
      "The cluster or workgroup is not in the function's region and account, was renamed or deleted. Put its own endpoint into the secret as host; a VPC endpoint's name does not say which cluster it leads to.",
    ];
  }
  if (/username and password in secret|dbClusterIdentifier/.test(reason)) {
    return [
      "bad-secret",
      "Correct the secret: it needs username and password, and dbClusterIdentifier, where it is there, must be the host's cluster.",
    ];
  }
  if (name === "AbortError") {
    return [
      "timeout",
      "No answer came in time. The statement may or may not have taken effect; the service tries again, which is safe. If it stays so, see whether the function reaches this API.",
    ];
  }
  if (name === "TimeoutError" || /^(E[A-Z_]+|ERR_TLS\w*|CERT\w*|UNABLE\w*|SELF\w*|DEPTH\w*)$/.test(systemCode)) {
    return [
      "unreachable",
      "The function must reach redshift-data and secretsmanager of its region: in a VPC by their interface endpoints or a NAT gateway, and by a security group that lets it out on port 443.",
    ];
  }
  return ["service", "The service tries the rotation again."];
}

/** Whether a statement's error says that name or password were refused. The Data API gives no SQLSTATE, only the server's words. */
export function isRefusedLogin(text: string): boolean {
  // Seen: https://github.com/aws/amazon-redshift-python-driver/issues/237, https://github.com/aws/aws-tools-for-powershell/issues/269
  return /(^|FATAL: +)(password authentication failed for user|user ".*" does not exist)/s.test(text);
}

/** The error of a statement that FAILED. @param text what DescribeStatement says of it */
export function statementError(
  text: string,
  where: string,
  { doing, remedy }: Pick<Statement, "doing" | "remedy">,
): RotationError {
  // The text of a syntax error quotes the statement.
  const said = `${where}: ${doing}: ${/syntax error/i.test(text) ? "the server could not read the statement" : text}`;
  if (isRefusedLogin(text)) {
    return new RotationError(
      "superseded",
      said,
      "The password was changed while this step ran. The service tries the rotation again.",
    );
  }
  if (/permission denied|must be (an? )?(owner|superuser)|not authorized|insufficient privilege/i.test(text)) {
    return new RotationError("privilege", said, remedy ?? "Grant the missing right, then rotate again.");
  }
  if (/FATAL: +database ".*" does not exist/s.test(text)) {
    return new RotationError("bad-secret", said, "Correct dbname in the secret.");
  }
  if (/too many (connections|clients)|connection limit|(starting up|shutting down|in recovery)/i.test(text)) {
    return new RotationError(
      "busy",
      said,
      "The server is there and takes no login now. The service tries again; if it stays so, raise the limit that it names.",
    );
  }
  if (/cancelled on user's request|canceling statement|divi(sion|de) by zero/i.test(text)) {
    return new RotationError(
      "timeout",
      said,
      "Another session may hold what this statement needs. The service tries again.",
    );
  }
  if (/read.only (transaction|database)|is read.only/i.test(text)) {
    return new RotationError(
      "unsupported",
      said,
      "The database is read-only: put the writer's endpoint into the secret.",
    );
  }
  return new RotationError("database", said, "The service tries the rotation again.");
}
