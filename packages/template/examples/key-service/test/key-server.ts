import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";

/** One key, by whose text the server knows it. */
interface Key {
  readonly id: string;
  readonly username: string;
  readonly name: string;
  readonly issuedAt: number;
}

/** Without a password nobody can log in. */
interface User {
  password?: string;
  rights: readonly string[];
  isAdmin?: boolean;
  /** Set by an admin who creates the user. */
  twinOf?: string;
}

/**
 * A small HTTP service of the two kinds that there are: it issues and revokes keys of an account (Bearer), and it has users whose passwords
 * an admin sets (Basic). In memory, on loopback.
 */
export interface KeyServer extends AsyncDisposable {
  readonly port: number;
  readonly keys: Map<string, Key>;
  readonly users: Map<string, User>;
}

export async function startKeyServer(): Promise<KeyServer> {
  const keys: KeyServer["keys"] = new Map();
  const users: KeyServer["users"] = new Map();
  const server = createServer(async (request, response) => {
    const [status, body] = await answer(keys, users, request);
    send(response, status, body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    keys,
    users,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

type Answer = readonly [status: number, body?: unknown];

async function answer(keys: KeyServer["keys"], users: KeyServer["users"], request: IncomingMessage): Promise<Answer> {
  const url = new URL(request.url ?? "/", "http://localhost");
  const [, collection = "", name = "", property = ""] = url.pathname.split("/").map(decodeURIComponent);
  const [scheme, credentials = ""] = (request.headers.authorization ?? "").split(" ");
  const body = request.method === "POST" || request.method === "PUT" ? await json(request) : undefined;
  if (scheme === "Bearer") return keyAnswer(keys, credentials, `${request.method} /${collection}`, name, url, body);
  const [username = "", ...password] = Buffer.from(credentials, "base64").toString().split(":");
  const user = users.get(username);
  if (user?.password === undefined || user.password !== password.join(":")) return [401];
  return userAnswer(users, user, `${request.method} /${collection}/${property}`, name, body);
}

function keyAnswer(
  keys: KeyServer["keys"],
  text: string,
  operation: string,
  id: string,
  url: URL,
  body: unknown,
): Answer {
  const own = keys.get(text);
  if (!own) return [401];
  const ofAccount = [...keys].filter(([, key]) => key.username === own.username);
  switch (operation) {
    case "GET /whoami":
      return [200, { username: own.username, keyId: own.id }];
    case "POST /keys": {
      const issued = `ks_${randomBytes(18).toString("base64url")}`;
      const { name } = body as { name: string };
      keys.set(issued, {
        id: randomBytes(6).toString("hex"),
        username: own.username,
        name,
        issuedAt: performance.now(),
      });
      return [201, { key: issued }];
    }
    case "GET /keys": {
      const named = ofAccount.filter(([, key]) => key.name === url.searchParams.get("name"));
      return [200, named.map(([, { id, issuedAt }]) => ({ id, issuedAt }))];
    }
    case "DELETE /keys": {
      const revoked = ofAccount.find(([, key]) => key.id === id);
      if (!revoked) return [404];
      keys.delete(revoked[0]);
      return [204];
    }
    default:
      return [404];
  }
}

function userAnswer(users: KeyServer["users"], asking: User, operation: string, name: string, body: unknown): Answer {
  if (operation === "GET /session/") return [200, { rights: asking.rights }];
  if (!asking.isAdmin) return [403];
  if (operation === "POST /users/") {
    const { username, twinOf } = body as { username: string; twinOf: string };
    if (users.has(username)) return [409];
    users.set(username, { rights: [], twinOf });
    return [201];
  }
  const user = users.get(name);
  if (!user) return [404];
  switch (operation) {
    case "GET /users/":
      return [200, { twinOf: user.twinOf }];
    case "PUT /users/rights": {
      const from = users.get((body as { from: string }).from);
      if (!from) return [404];
      user.rights = [...from.rights];
      return [204];
    }
    case "PUT /users/password":
      user.password = (body as { password: string }).password;
      return [204];
    default:
      return [404];
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(body === undefined ? undefined : JSON.stringify(body));
}
