import type { Login, LoginLog } from "./login-log.ts";
import { startProxy } from "./proxy.ts";

/** What the application's requests have as their User-Agent. */
export const APPLICATION = "checkout";

/**
 * A loopback proxy before a service, which writes down who came and whether the service took the credentials: each request brings its own, so
 * each is a login.
 */
export async function countRequests(
  servicePort: number,
): Promise<AsyncDisposable & { readonly port: number; readonly log: LoginLog }> {
  const logins: Login[] = [];
  const proxy = await startProxy(`http://127.0.0.1:${servicePort}`, ({ headers }, status) => {
    const by = headers["user-agent"] === APPLICATION ? "application" : "function";
    logins.push({ time: Date.now(), outcome: status === 401 ? "refused" : "accepted", by });
  });
  return {
    port: proxy.port,
    log: { logins, update: async () => undefined },
    [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose](),
  };
}
