import { startProxy } from "./proxy.ts";

/** A way to an endpoint on which calls are counted. */
export interface CountedEndpoint extends AsyncDisposable {
  readonly url: string;
  /** The operations that were called, in order, e.g. "GetSecretValue". */
  readonly calls: readonly string[];
}

/**
 * A loopback proxy before the endpoint, for the rotation functions alone: the endpoint's own log of events does not say who called, and the
 * application calls all the time.
 */
export async function countCalls(endpoint: string): Promise<CountedEndpoint> {
  const calls: string[] = [];
  const proxy = await startProxy(endpoint, ({ headers }) => {
    // "secretsmanager.GetSecretValue"
    calls.push(String(headers["x-amz-target"]).split(".").at(-1) ?? "");
  });
  return {
    url: `http://127.0.0.1:${proxy.port}`,
    calls,
    [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose](),
  };
}
