import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import type { Target } from "@quarterturn/conformance";

/** A token as Cloudflare describes it, and whether it has the permission "Account API Tokens Write". */
interface Token {
  readonly id: string;
  readonly name: string;
  readonly issued_on: string;
  readonly policies: unknown;
  readonly accountId: string;
  readonly manages: boolean;
}

type Answer = readonly [status: number, result?: unknown];

/**
 * Imitates Cloudflare's requests about account API tokens, by its documentation; that a refused token gets 401, and a token of another
 * account too, is this imitation's guess.
 *
 * @see https://developers.cloudflare.com/api/resources/accounts/subresources/tokens/
 */
export async function imitatedCloudflare(): Promise<Target> {
  const tokens = new Map<string, Token>();
  let issued = 0;
  const hex = () => randomBytes(16).toString("hex");

  function issue(wish: Pick<Token, "accountId" | "name" | "manages" | "policies">, value = hex()): string {
    // Whole seconds, each later than the one before.
    const issued_on = new Date(1_700_000_000_000 + 1000 * issued++).toISOString();
    tokens.set(value, { ...wish, id: hex(), issued_on });
    return value;
  }

  async function answer(request: IncomingMessage): Promise<Answer> {
    const url = new URL(request.url ?? "", "http://localhost");
    const [, , accountId = "", , id] = url.pathname.split("/");
    const own = tokens.get(request.headers.authorization?.replace("Bearer ", "") ?? "");
    if (own?.accountId !== accountId) return [401];
    if (id === "verify") return [200, { id: own.id, status: "active" }];
    if (!own.manages) return [403];
    const ofAccount = [...tokens].filter(([, token]) => token.accountId === accountId);
    if (request.method === "POST") {
      const { name, policies } = (await json(request)) as Pick<Token, "name" | "policies">;
      return [200, { value: issue({ accountId, name, policies, manages: false }) }];
    }
    if (id === undefined) {
      const [size, page] = [Number(url.searchParams.get("per_page")), Number(url.searchParams.get("page"))];
      return [200, ofAccount.map(([, token]) => token).slice((page - 1) * size, page * size)];
    }
    const found = ofAccount.find(([, token]) => token.id === id);
    if (!found) return [404];
    if (request.method === "DELETE") tokens.delete(found[0]);
    return [200, found[1]];
  }

  const server = createServer(async (request, response) => {
    const [status, result] = await answer(request);
    response.writeHead(status).end(JSON.stringify({ success: status === 200, result }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");

  return {
    address: { host: "127.0.0.1", port: (server.address() as AddressInfo).port },
    hostile: { names: ["no account has a name here"], passwords: ["quote'quote''x", "percent%41%00"] },
    tlsFaults: "what imitates the service speaks http",
    async createAccount({ password }) {
      const accountId = hex();
      const policies = [{ effect: "allow", permission_groups: [], resources: {} }];
      const token = issue({ accountId, name: "manager", policies, manages: true });
      const own = issue({ accountId, name: "by hand", policies, manages: false }, password);
      return { secret: { accountId, password: own }, adminSecret: { token } };
    },
    login: async ({ password }) => (tokens.has(String(password)) ? "accepted" : "refused"),
    issuedTo: async ({ accountId }) =>
      [...tokens.values()].filter((token) => token.accountId === accountId && token.name.startsWith("arn:")).length,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
