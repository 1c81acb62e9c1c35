import { randomUUID } from "node:crypto";
import type { SecretObject, Strategy, Target } from "@quarterturn/conformance";
import { startKeyServer } from "./key-server.ts";

/** What the conformance suite asks of the service: here one that imitates it; give it the real one's test account where you can. */
export async function keyServiceTarget(strategy: Strategy): Promise<Target> {
  const server = await startKeyServer();
  const rights = ["read", "write"];
  const admin = { username: "admin", password: randomUUID() };
  server.users.set(admin.username, { password: admin.password, rights: [], isAdmin: true });

  function loginWithPassword({ username, password }: SecretObject) {
    const user = server.users.get(String(username));
    if (user?.password === undefined || user.password !== password) return "refused";
    return rights.every((right) => user.rights.includes(right)) ? "accepted" : "powerless";
  }

  return {
    address: { host: "127.0.0.1", port: server.port },
    hostile: {
      names: ["o'brien", 'say "hello"', "back\\slash", "../admin", "a/b?c=d#e", "ünïcödé ☃", "line\nbreak"],
      passwords:
        strategy === "single-user"
          ? ["quote'quote''x", '"double"quoted"', "back\\slash\\\\n", "percent%41%00", "a,b;c=d&e"]
          : [
              "quote'quote''x",
              "colon:colon:x",
              "back\\slash\\\\n",
              "percent%41%00",
              "\u202eright-to-left",
              "new\nline",
            ],
    },
    tlsFaults: "what imitates the service speaks http",
    async createAccount({ name = `app_${randomUUID()}`, password = randomUUID(), at }) {
      const secret = { engine: "key-service", ...at, ssl: false, username: name, password };
      if (strategy === "multi-user") {
        server.users.set(name, { password, rights });
        return { secret, adminSecret: { ...secret, ...admin } };
      }
      server.keys.set(password, { id: randomUUID(), username: name, name: "by hand", issuedAt: 0 });
      return { secret };
    },
    async login(secret) {
      if (strategy === "multi-user") return loginWithPassword(secret);
      return server.keys.has(String(secret.password)) ? "accepted" : "refused";
    },
    async issuedTo({ username }) {
      return [...server.keys.values()].filter((key) => key.username === username && key.name !== "by hand").length;
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
