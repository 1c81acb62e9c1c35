import { randomBytes } from "node:crypto";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { IncomingMessage, ServerResponse } from "node:http";
import { startKeyServer } from "../../../../packages/template/examples/key-service/test/key-server.ts";
import type { BenchEngine } from "../engine.ts";

const channel = "http.server.response.finish";

/** The example of packages/template. Each request of its service is a login. */
export const engine: BenchEngine = {
  folder: "packages/template/examples/key-service",
  isDatabase: false,
  windows: { "single-user": "none", "multi-user": "none" },

  async start() {
    await using starting = new AsyncDisposableStack();
    const service = starting.use(await startKeyServer());
    const at = { host: "127.0.0.1", port: service.port };
    let accepted = 0;
    let refused = 0;
    // The service is in this process.
    function onAnswer(message: unknown) {
      const { request, response } = message as { request: IncomingMessage; response: ServerResponse };
      if (request.socket.localPort !== at.port) return;
      if (response.statusCode === 401) refused++;
      else accepted++;
    }
    subscribe(channel, onAnswer);
    starting.defer(() => void unsubscribe(channel, onAnswer));
    const admin = { username: "admin", password: randomBytes(16).toString("hex") };
    service.users.set(admin.username, { ...admin, rights: [], isAdmin: true });
    const running = starting.move();
    return {
      title: "the example key-service, by plain HTTP",
      ...at,
      adminSecret: { ...admin, ...at, ssl: false },

      async createAccount(username, strategy) {
        const password = randomBytes(16).toString("hex");
        if (strategy === "multi-user") {
          service.users.set(username, { password, rights: ["read"] });
          return { username, password, ...at, ssl: false };
        }
        service.keys.set(password, { id: username, username, name: "by hand", issuedAt: 0 });
        return { username, key: password, ...at, ssl: false };
      },

      logins: async () => ({ accepted, refused }),
      [Symbol.asyncDispose]: () => running.disposeAsync(),
    };
  },

  async application() {
    return async ({ host, port, username, key, password }) => {
      const [path, authorization] =
        key === undefined
          ? ["/session", `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`]
          : ["/whoami", `Bearer ${key}`];
      const { ok, status } = await fetch(`http://${host}:${port}${path}`, { headers: { authorization } });
      if (ok) return "accepted";
      if (status === 401) return "refused";
      throw new Error(`${path} was answered with status ${status}`);
    };
  },
};
