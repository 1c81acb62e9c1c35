import { startKeyServer } from "../../../../packages/template/examples/key-service/test/key-server.ts";
import type { DemoEngine } from "../engine.ts";
import { APPLICATION, httpLoginLog } from "../http-login-log.ts";
import { newPassword } from "../new-password.ts";
import { templateStory } from "../story.ts";

const example = new URL("../../../../packages/template/examples/key-service/", import.meta.url);

/** The example of packages/template: a service that issues keys to accounts, and has users whose passwords an admin sets. */
export const engine: DemoEngine = {
  story: templateStory,
  handlers: {
    "single-user": new URL("src/single-user.ts", example).href,
    "multi-user": new URL("src/multi-user.ts", example).href,
  },

  async start() {
    await using started = new AsyncDisposableStack();
    const service = started.use(await startKeyServer());
    const loginLog = started.use(httpLoginLog(service.port));
    const admin = { username: "admin", password: newPassword() };
    const user = { username: "checkout", password: newPassword() };
    const key = newPassword();
    service.users.set(admin.username, { ...admin, rights: [], isAdmin: true });
    service.users.set(user.username, { ...user, rights: ["orders"] });
    service.keys.set(key, { id: "1", username: user.username, name: "by hand", issuedAt: 0 });
    const address = { host: "127.0.0.1", port: service.port };
    const running = started.move();
    return {
      title: "a small one that issues API keys,",
      ...address,
      adminSecret: { ...admin, ...address, ssl: false },
      secrets: (masterarn) => ({
        "single-user": { name: "prod/shop/key", value: { username: user.username, key, ...address, ssl: false } },
        "multi-user": { name: "prod/shop/user", value: { ...user, ...address, ssl: false, masterarn } },
      }),
      use,
      loginLog,
      [Symbol.asyncDispose]: () => running.disposeAsync(),
    };
  },
};

async function use({ host, port, username, key, password }: Readonly<Record<string, unknown>>) {
  const [path, authorization] =
    key === undefined
      ? ["/session", `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`]
      : ["/whoami", `Bearer ${key}`];
  const { ok, status } = await fetch(`http://${host}:${port}${path}`, {
    headers: { authorization, "user-agent": APPLICATION },
    signal: AbortSignal.timeout(5_000),
  });
  if (ok) return "accepted";
  if (status === 401) return "refused";
  throw new Error(`${path} was answered with status ${status}`);
}
