import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { type Document, Int32 } from "bson";
import type { ServerCertificate } from "./certificates.ts";
import { LOOPBACK, listenOnLoopback } from "./loopback.ts";
import { type MongoMessage, mongoMessage, mongoMessages, withDocument } from "./mongo-message.ts";

/**
 * What of a server that cannot be had here is imitated:
 * - `an older server`: it speaks the wire protocol of MongoDB 4.0, knows SCRAM-SHA-1 only, and says nothing about mechanisms
 * - `a server of pwd and roles`: it refuses commands about users that hold customData or mechanisms, and does not say why, although it
 *   shows SCRAM-SHA-1 as everybody's mechanism
 * - `a server with all users in admin`: a login finds them whatever database it names, a command only there
 * - `a secondary`: it says so, and answers changes of users with "not primary"
 */
export type Imitation =
  | "an older server"
  | "a server of pwd and roles"
  | "a server with all users in admin"
  | "a secondary";

/** A login that a client tried. */
export interface MongoLogin {
  /** What the client calls itself (`appName`). */
  readonly client: string | undefined;
  readonly outcome: "accepted" | "refused";
}

export interface RoleProxy extends AsyncDisposable {
  readonly port: number;
}

interface Role {
  readonly role: string;
  readonly db: string;
}

/** What FerretDB does not keep of a user. */
interface Extras {
  readonly roles: readonly Role[];
  readonly customData?: Document;
}

/**
 * Stands before a FerretDB 1 and imitates what it does not do, as MongoDB and DocumentDB do it: `roles` and `customData` of createUser and
 * updateUser, shown by usersInfo; and authorisation, code 13, for the commands that deal with users and documents. Any role may be given;
 * those that count are root, dbOwner, userAdmin, read and readWrite, those three for any database, and one of the name
 * `changeOwnPassword`, which stands for a custom role with that action. Everything else is FerretDB's own answer: the logins first of all.
 *
 * @param upstream FerretDB's port
 * @param root the user of `admin` that has the role root
 */
export async function startRoleProxy(
  upstream: number,
  options: {
    readonly root: string;
    readonly certificate: ServerCertificate | undefined;
    readonly imitates: Imitation | undefined;
    /** Told of each login when FerretDB has answered, before the client knows. */
    readonly onLogin: ((login: MongoLogin) => void) | undefined;
  },
): Promise<RoleProxy> {
  const { certificate } = options;
  const users = new Map<string, Extras>([[`admin.${options.root}`, { roles: [{ role: "root", db: "admin" }] }]]);
  const alone = oneAtATime();
  const sockets = new Set<Socket>();
  const accept = (client: Socket) => {
    const database = connect(upstream, LOOPBACK);
    for (const socket of [client, database]) {
      sockets.add(socket);
      socket
        .setNoDelay(true)
        .on("error", () => socket.destroy())
        .on("close", () => sockets.delete(socket));
    }
    database.on("close", () => client.destroy());
    // Whatever ends one side ends the other: a client that is killed, or that does not speak the protocol.
    serve(client, database, { ...options, users, alone })
      .catch(() => client.destroy())
      .finally(() => database.destroy());
  };
  const server = certificate
    ? createTlsServer({ cert: certificate.cert, key: certificate.key }, accept)
    : createServer(accept);
  const port = await listenOnLoopback(server);
  return {
    port,
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, "close");
    },
  };
}

async function serve(client: Socket, database: Socket, shared: Omit<Session, "ask" | "client">): Promise<void> {
  const answers = mongoMessages(database);
  const ask: Ask = async (bytes) => {
    database.write(bytes);
    const { value } = await answers.next();
    if (!value) throw new Error("FerretDB ended the connection.");
    return value;
  };
  const session: Session = { ...shared, ask, client: undefined };
  for await (const message of mongoMessages(client)) {
    if (message.wantsReply) client.write(await answer(message, session));
    else database.write(message.bytes);
  }
}

type Ask = (bytes: Buffer) => Promise<MongoMessage>;

/** One client's connection. */
interface Session {
  readonly users: Map<string, Extras>;
  /** For commands that deal with users: a server does each of them as one, and here some take two. */
  readonly alone: ReturnType<typeof oneAtATime>;
  readonly ask: Ask;
  readonly imitates: Imitation | undefined;
  readonly onLogin: ((login: MongoLogin) => void) | undefined;
  /** What it calls itself. */
  client: string | undefined;
}

interface Login {
  readonly user: string;
  readonly db: string;
}

async function answer(asked: MongoMessage, session: Session): Promise<Buffer> {
  const message = session.imitates === "a server with all users in admin" ? loggingInAtAdmin(asked) : asked;
  const { body, requestId, hello = body } = message;
  if (hello?.client) session.client = hello.client.application?.name;
  if (!body) return told(await session.ask(message.bytes), session);
  const [name = ""] = Object.keys(body);
  const refusal = await refusalOf(name, body, session);
  if (refusal) return mongoMessage({ ok: 0, ...refusal }, { responseTo: requestId });
  const work = () => carryOut(name, body, message, session);
  return userCommands.includes(name) ? session.alone(work) : work();
}

/** A message of a login, for the user of that name of `admin`. */
function loggingInAtAdmin(message: MongoMessage): MongoMessage {
  const { body } = message;
  if (!body) return message;
  const [name = ""] = Object.keys(body);
  const { saslSupportedMechs: user } = body;
  const changed: Document = {
    ...body,
    ...(name.startsWith("sasl") ? { $db: "admin" } : {}),
    ...(user ? { saslSupportedMechs: `admin.${user.slice(user.indexOf(".") + 1)}` } : {}),
  };
  return { ...message, body: changed, bytes: withDocument(message, changed) };
}

async function carryOut(name: string, body: Document, message: MongoMessage, session: Session): Promise<Buffer> {
  if (name === "createUser" || name === "updateUser") return changeUser(body, message, session);
  const reply = await session.ask(message.bytes);
  if (name === "saslStart" || name === "saslContinue") tellLogin(reply, session);
  if (name === "dropUser" && succeeded(reply)) session.users.delete(`${body.$db}.${body.dropUser}`);
  return told(reply, session);
}

/** Runs what it is given in turn. */
function oneAtATime(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const next = last.then(work, work);
    last = next;
    return next;
  };
}

function tellLogin({ body }: MongoMessage, { onLogin, client }: Session): void {
  if (body?.done === true) onLogin?.({ client, outcome: "accepted" });
  // Authentication failed; there is no such user.
  else if ([11, 18].includes(Number(body?.code))) onLogin?.({ client, outcome: "refused" });
}

/** Who has logged in by this connection, as FerretDB says. */
async function loginOf({ ask }: Session): Promise<Login | undefined> {
  const { body } = await ask(mongoMessage({ connectionStatus: 1, $db: "admin" }, {}));
  return body?.authInfo.authenticatedUsers[0];
}

const reads = ["find", "aggregate", "count", "distinct"];
const writes = ["insert", "update", "delete", "findAndModify", "create", "createIndexes", "drop"];
const userCommands = ["createUser", "updateUser", "dropUser", "usersInfo"];

/** Why the imitated server does not do what is asked, if so. */
async function refusalOf(name: string, body: Document, session: Session): Promise<Document | undefined> {
  const { imitates } = session;
  if (imitates === "a secondary" && userCommands.includes(name) && name !== "usersInfo") {
    return { code: 10107, codeName: "NotWritablePrimary", errmsg: "not primary" };
  }
  const holds = (...fields: string[]) => userCommands.includes(name) && fields.some((field) => field in body);
  if (imitates === "a server of pwd and roles" && holds("customData", "mechanisms")) {
    return { code: 303, codeName: "UnsupportedFeature", errmsg: "Feature not supported" };
  }
  if (imitates === "an older server") {
    if (name === "saslStart" && body.mechanism !== "SCRAM-SHA-1")
      return { code: -301, errmsg: "Unsupported mechanism [ -301 ]" };
    if (holds("mechanisms")) {
      return { code: 2, codeName: "BadValue", errmsg: `"mechanisms" is not a valid argument to ${name}` };
    }
  }
  if (![...reads, ...writes, ...userCommands].includes(name)) return undefined;
  if (isAllowed(name, body, await loginOf(session), session.users)) return undefined;
  return { code: 13, codeName: "Unauthorized", errmsg: `not authorized on ${body.$db} to execute command ${name}` };
}

function isAllowed(
  name: string,
  body: Document,
  login: Login | undefined,
  users: ReadonlyMap<string, Extras>,
): boolean {
  const db = String(body.$db);
  const roles = login ? (users.get(`${login.db}.${login.user}`)?.roles ?? []) : [];
  const has = (of: string, names: readonly string[]) =>
    roles.some(
      (each) =>
        (each.db === of && names.includes(each.role)) ||
        (each.db === "admin" && ["root", ...names.map((role) => `${role}AnyDatabase`)].includes(each.role)),
    );
  if (reads.includes(name)) return has(db, ["read", "readWrite", "dbOwner"]);
  if (writes.includes(name)) return has(db, ["readWrite", "dbOwner"]);
  const isOwn = login?.db === db && login.user === body[name];
  if (isOwn && name === "usersInfo") return true;
  if (isOwn && !("roles" in body) && !("customData" in body) && roles.some(({ role }) => role === "changeOwnPassword"))
    return true;
  return [db, ...rolesOf(body).map((role) => role.db)].every((of) => has(of, ["userAdmin", "dbOwner"]));
}

async function changeUser(body: Document, { requestId }: MongoMessage, { users, ask }: Session): Promise<Buffer> {
  const { roles: _, customData, ...rest } = body;
  const name = String(body.createUser ?? body.updateUser);
  const key = `${body.$db}.${name}`;
  const isNew = "createUser" in body;
  const isForwarded = isNew || "pwd" in body;
  const question = isForwarded ? { ...rest, ...(isNew ? { roles: [] } : {}) } : { usersInfo: name, $db: body.$db };
  const reply = await ask(mongoMessage(question, { requestId }));
  if (!succeeded(reply)) return reply.bytes;
  if (!isForwarded && reply.body?.users.length === 0) {
    const errmsg = `User ${name}@${body.$db} not found`;
    return mongoMessage({ ok: 0, code: 11, codeName: "UserNotFound", errmsg }, { responseTo: requestId });
  }
  const before = isNew ? undefined : users.get(key);
  users.set(key, {
    roles: "roles" in body ? rolesOf(body) : (before?.roles ?? []),
    ...(customData
      ? { customData }
      : before?.customData && !("customData" in body)
        ? { customData: before.customData }
        : {}),
  });
  return mongoMessage({ ok: 1 }, { responseTo: requestId });
}

/** FerretDB's answer, with what it does not know and without what the imitated server does not. */
function told(message: MongoMessage, { users, imitates }: Session): Buffer {
  const { body } = message;
  const isOld = imitates === "an older server";
  const shown: Document = { ...body };
  if (isOld && "maxWireVersion" in shown) {
    shown.maxWireVersion = new Int32(7);
    delete shown.saslSupportedMechs;
  }
  if (imitates === "a secondary" && "ismaster" in shown) shown.ismaster = false;
  if (Array.isArray(shown.users)) {
    shown.users = shown.users.map((user: Document) => {
      const { mechanisms, ...known } = user;
      const isBare = imitates === "a server of pwd and roles";
      const told = isOld ? {} : { mechanisms: isBare ? ["SCRAM-SHA-1"] : mechanisms };
      return { ...known, ...told, ...users.get(`${user.db}.${user.user}`) };
    });
  }
  return withDocument(message, shown);
}

const succeeded = ({ body }: MongoMessage) => Number(body?.ok) === 1;

/** A role without a database is of the user's. */
function rolesOf(body: Document): readonly Role[] {
  const roles: readonly (string | Role)[] = body.roles ?? [];
  return roles.map((role) => (typeof role === "string" ? { role, db: body.$db } : role));
}
