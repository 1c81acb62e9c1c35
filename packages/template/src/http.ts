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
  /** Statuses that mean that the credentials are not accepted; if absent 401. With 403 among them nothing is a missing privilege. */
  readonly rejected?: readonly number[];
}

/**
 * Sends one request to a service. No redirect is followed, since it would take the credentials along.
 *
 * @returns the answer's JSON; undefined where it has no body, and for an expected status
 * @throws RotationError `credentials-rejected` (401, or what `rejected` says), `privilege` (403), `service` (any other status but 2xx),
 *   `unreachable`, `tls`, `timeout`, `bad-setting` (the URL), `bad-secret` (a header); none quotes the answer, which may hold a key
 */
export async function httpJson(
  request: HttpRequest,
  { deadline }: Pick<RotationContext, "deadline">,
): Promise<unknown> {
  const { method, json, as, expected = [], rejected = [401] } = request;
  const url = urlOf(request.url);
  const headers = headersOf(request);
  const body = json === undefined ? {} : { body: JSON.stringify(json) };
  const what = `${method} ${url.origin}${url.pathname}`;
  const answer = await attempt(async () => {
    const response = await fetch(url, {
      method,
      headers,
      ...body,
      redirect: "manual",
      signal: AbortSignal.timeout(deadline.share()),
    });
    return { status: response.status, ok: response.ok, text: await response.text() };
  }, what);
  if (expected.includes(answer.status)) return undefined;
  if (rejected.includes(answer.status)) {
    throw new RotationError(
      "credentials-rejected",
      `${what} refuses ${as}`,
      "This try changed nothing by this request. Store credentials that work with PutSecretValue, then rotate again.",
    );
  }
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

/** Of a text that is no URL nothing can be told: which part of it is a password is not known. */
function urlOf(text: string): URL {
  const url = URL.parse(text);
  if (url) return url;
  throw badUrl("The service's URL is none");
}

function badUrl(what: string): RotationError {
  return new RotationError(
    "bad-setting",
    what,
    "This try changed nothing by this request. Correct the URL in the function's configuration, or the host in the secret.",
  );
}

function headersOf({ headers, json, as }: HttpRequest): Headers {
  try {
    return new Headers({
      accept: "application/json",
      // A kept connection would not survive that Lambda freezes the process between two steps.
      connection: "close",
      ...(json === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    });
  } catch {
    // The error would quote the header.
    throw new RotationError(
      "bad-secret",
      `A character of ${as} cannot be sent in a header`,
      "This try changed nothing by this request. Store what the service gave, whole and without line breaks, with PutSecretValue; then rotate again.",
    );
  }
}

function refusal(status: number, what: string, as: string): RotationError {
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
    const { code } = cause as NodeJS.ErrnoException;
    // Refused before anything was sent. The error's text may quote the URL.
    if (code === undefined) {
      throw badUrl(
        `${what}: the URL must be http or https, without a user or password, and its port one that browsers take`,
      );
    }
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
