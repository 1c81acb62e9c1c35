import type { Deadline } from "./deadline.ts";
import { RotationError, reasonOf } from "./errors.ts";

/** What is asked of an API of AWS beside Secrets Manager's. */
interface ApiQuestion {
  /** Who is asked, e.g. `RDS`. */
  readonly api: string;
  readonly operation: string;
  /** What to do where the answer does not come. */
  readonly advice: string;
  /** The names of errors that mean that there is no such thing. */
  readonly notFound: RegExp;
}

/** How such an API's client is configured: a call that is not answered ends within the share of a deadline. */
export const apiClientOptions = {
  maxAttempts: 2,
  requestHandler: { connectionTimeout: 2_000, requestTimeout: 3_000, throwOnRequestTimeout: true },
};

/**
 * Asks within the deadline's share.
 *
 * @returns undefined where there is no such thing
 * @throws RotationError `privilege`, `timeout` or `service`
 */
export async function askApi<Output>(
  { api, operation, advice, notFound }: ApiQuestion,
  deadline: Deadline,
  send: (options: { abortSignal: AbortSignal }) => Promise<Output>,
): Promise<Output | undefined> {
  try {
    return await send({ abortSignal: AbortSignal.timeout(deadline.share()) });
  } catch (error) {
    const name = error instanceof Error ? error.name : "";
    if (notFound.test(name)) return undefined;
    const code = /AccessDenied|UnauthorizedOperation/.test(name)
      ? "privilege"
      : /^(AbortError|TimeoutError)$/.test(name)
        ? "timeout"
        : "service";
    throw new RotationError(code, `${api} did not answer ${operation}: ${reasonOf(error)}`, advice, { cause: error });
  }
}
