import { type RotationContext, RotationError, reasonOf } from "@quarterturn/core";

export interface HttpRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Whose credentials the headers hold, for messages: `the key of "app"`. */
  readonly as: string;
  /** Statuses that are an answer like a success: 404 where what is deleted may be gone. */
  readonly expected?: readonly number[];
}

/**
 * Sends one request to a service. No redirect is followed, since it would take the credentials along.
 *
 * @returns the answer's JSON; undefined where it has no body, and for an expected status
 * @throws RotationError `credentials-rejected` (401), `privilege` (403), `service` (any other status but 2xx), `unreachable`, `tls`,
 *   `timeout`; none quotes the answer, which may hold a key
 */
export async function httpJson(
  request: HttpRequest,
  { deadline }: Pick<RotationContext, "deadline">,
): Promise<unknown> {
  const { method, headers, json, as, expected = [] } = request;
  const url = new URL(request.url);
  const what = `${method} ${url.origin}${url.pathname}`;
  const answer = await attempt(async () => {
    const response = await fetch(url, {
      method,
      headers: {
        accept: "application/json",
        // A kept connection would not survive that Lambda freezes the process between two steps.
        connection: "close",
        ...(json === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
      redirect: "manual",
      signal: AbortSignal.timeout(deadline.share()),
    });
    return { status: response.status, ok: response.ok, text: await response.text() };
  }, what);
  if (expected.includes(answer.status)) return undefined;
  if (!answer.ok) throw refusal(answer.status, what, as);
  if (answer.text === "") return undefined;
  try {
    return JSON.parse(answer.text);
  } catch {
    // The parser's message would quote the answer.
    throw new RotationError(
      "service",
      `${what} was answered with something else than JSON`,
      "Check the service's URL.",
    );
  }
}

function refusal(status: number, what: string, as: string): RotationError {
  if (status === 401) {
    return new RotationError(
      "credentials-rejected",
      `${what} refuses ${as}`,
      "This try changed nothing by this request. Store credentials that work with PutSecretValue, then rotate again.",
    );
  }
  if (status === 403) {
    return new RotationError(
      "privilege",
      `${what} is not allowed to ${as}`,
      "Grant it at the service, then rotate again.",
    );
  }
  return new RotationError(
    "service",
    `${what} was answered with status ${status}`,
    "The service tries the rotation again.",
  );
}

async function attempt<T>(action: () => Promise<T>, what: string): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof Error && error.name === "TimeoutError") {
      throw new RotationError(
        "timeout",
        `${what} is not answered`,
        "Check that the service is up, and what lies between.",
      );
    }
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    const code = String((cause as NodeJS.ErrnoException).code);
    if (/^(CERT|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO|ERR_TLS|ERR_SSL)/.test(code)) {
      throw new RotationError(
        "tls",
        `${what}: the connection cannot be verified or encrypted (${reasonOf(cause)})`,
        "Give the service a valid certificate, or its authority's to the function in NODE_EXTRA_CA_CERTS.",
        { cause },
      );
    }
    throw new RotationError(
      "unreachable",
      `${what}: no connection (${reasonOf(cause)})`,
      "Check the service's name and port, and the routes and security groups of the function.",
      { cause },
    );
  }
}
