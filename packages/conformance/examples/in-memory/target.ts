import { randomUUID } from "node:crypto";
import type { Strategy, Target } from "@quarterturn/conformance";
import { startAccountServer } from "./account-server.ts";

/** What the suite asks of the system behind the secrets. */
export async function inMemoryTarget(strategy: Strategy): Promise<Target> {
  const server = await startAccountServer();
  const rights = ["read", "write"];
  const admin = { username: "admin", password: randomUUID() };
  server.accounts.set(admin.username, { password: admin.password, rights: [], isAdmin: true });
  return {
    address: { host: "127.0.0.1", port: server.port },
    hostile: {
      names: ["o'brien", 'say "hello"', "back\\slash", "; drop account x", "ünïcödé ☃", "line\nbreak"],
      passwords: [
        "quote'quote''x",
        '{"do":"login"}',
        "back\\slash\\\\n",
        "percent%41%00",
        "\u202eright-to-left",
        "new\nline",
      ],
    },
    tlsFaults: "its protocol has no TLS",
    async createAccount({ name = `app_${randomUUID()}`, password = randomUUID(), at }) {
      server.accounts.set(name, { password, rights });
      const secret = { engine: "in-memory", ...at, username: name, password };
      return strategy === "multi-user" ? { secret, adminSecret: { ...secret, ...admin } } : { secret };
    },
    async login({ username, password }) {
      const account = server.accounts.get(String(username));
      if (account?.password === undefined || account.password !== password) return "refused";
      return rights.every((right) => account.rights.includes(right)) ? "accepted" : "powerless";
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
