import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { createInterface } from "node:readline";

/** One account. Without a password nobody can log in to it. */
interface Account {
  password?: string;
  rights: string[];
  isAdmin?: boolean;
  /** The account whose rights an admin gave it when it was made. */
  twinOf?: string;
}

/** What a client asks, one JSON object a line; `login` comes first. */
export type Request =
  | { readonly do: "login"; readonly username: string; readonly password: string }
  | { readonly do: "setPassword"; readonly username: string; readonly password: string }
  | { readonly do: "createTwin"; readonly username: string; readonly of: string }
  | { readonly do: "requireTwin"; readonly username: string; readonly of: string }
  | { readonly do: "copyRights"; readonly from: string; readonly to: string };

export type Response = { readonly ok: true } | { readonly ok: false; readonly error: string };

/** The smallest system with passwords: accounts in memory, behind a loopback port. */
export interface AccountServer extends AsyncDisposable {
  readonly port: number;
  readonly accounts: Map<string, Account>;
}

export async function startAccountServer(): Promise<AccountServer> {
  const accounts: AccountServer["accounts"] = new Map();
  const sockets = new Set<Socket>();

  const server = createServer(async (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket)).on("error", () => undefined);
    let user: string | undefined;
    for await (const line of createInterface({ input: socket })) {
      const request = JSON.parse(line) as Request;
      const response = answer(accounts, user, request);
      if (request.do === "login" && response.ok) user = request.username;
      socket.write(`${JSON.stringify(response)}\n`);
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    accounts,
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, "close");
    },
  };
}

function answer(accounts: Map<string, Account>, user: string | undefined, request: Request): Response {
  const refused = (error: string): Response => ({ ok: false, error });
  if (request.do === "login") {
    const account = accounts.get(request.username);
    return account?.password === request.password ? { ok: true } : refused("rejected");
  }
  const isAdmin = user !== undefined && accounts.get(user)?.isAdmin === true;
  if (request.do === "setPassword") {
    const account = accounts.get(request.username);
    if (!account || (request.username !== user && !isAdmin)) return refused("not allowed");
    account.password = request.password;
    return { ok: true };
  }
  if (!isAdmin) return refused("not allowed");
  if (request.do === "createTwin") {
    if (!accounts.has(request.username)) accounts.set(request.username, { rights: [], twinOf: request.of });
    return { ok: true };
  }
  if (request.do === "requireTwin") {
    return accounts.get(request.username)?.twinOf === request.of ? { ok: true } : refused("somebody else's");
  }
  const [from, to] = [accounts.get(request.from), accounts.get(request.to)];
  if (!from || !to) return refused("no such account");
  to.rights = [...from.rights];
  return { ok: true };
}
