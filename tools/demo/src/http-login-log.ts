import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Login, LoginLog } from "./login-log.ts";

/** What the application's requests have as their User-Agent. */
export const APPLICATION = "checkout";

const channel = "http.server.response.finish";

/**
 * Who came to an HTTP server of this process, and whether the server took the credentials: each request brings its own, so each is a login.
 */
export function httpLoginLog(port: number): LoginLog & Disposable {
  const logins: Login[] = [];
  function onAnswer(message: unknown) {
    const { request, response } = message as { request: IncomingMessage; response: ServerResponse };
    if (request.socket.localPort !== port) return;
    const by = request.headers["user-agent"] === APPLICATION ? "application" : "function";
    logins.push({ time: Date.now(), outcome: response.statusCode === 401 ? "refused" : "accepted", by });
  }
  subscribe(channel, onAnswer);
  return { logins, update: async () => undefined, [Symbol.dispose]: () => void unsubscribe(channel, onAnswer) };
}
