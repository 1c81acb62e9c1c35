import { RotationError } from "@quarterturn/core";
import type { Login } from "@quarterturn/database";
import { Binary, type Document } from "bson";
import { type Mechanism, mechanisms, scramClient } from "./scram.ts";
import { ServerError, type Wire } from "./wire.ts";

/** The database that a login's user belongs to, as far as is known. */
export function authSourceOf({ userKeys }: Pick<Login, "userKeys">): string {
  return userKeys.authSource ?? "admin";
}

/** "Authentication failed", and what some servers say of a name that they do not know. */
const refusals = [11, 18];
/**
 * MechanismUnavailable, and what DocumentDB says for it.
 *
 * @see https://github.com/Automattic/mongoose/issues/15018
 */
const unavailable = [334, -301];

/**
 * Logs in on a connection, with the strongest mechanism that the server has for the user.
 *
 * @returns the login, with the authentication database that the server says the user has
 * @throws RotationError `unsupported` where the user is not one of passwords, `wrong-target` where the session is not the user's;
 *   ServerError or Error where no answer about the password came
 */
export async function authenticate(wire: Wire, login: Login, where: string): Promise<Login | "rejected"> {
  const hello = await wire.command("admin", {
    // By the name that servers of every age know.
    isMaster: 1,
    saslSupportedMechs: `${authSourceOf(login)}.${login.username}`,
    client,
  });
  const first = mechanismIn(hello, where);
  // What a hello says of a user need not be what the server can do.
  for (const mechanism of [first, ...mechanisms.filter((each) => each !== first)]) {
    try {
      await logInBy(mechanism, wire, login, where);
      return await asTheServerSays(wire, login, where);
    } catch (error) {
      if (!(error instanceof ServerError)) throw error;
      if (refusals.includes(error.code)) return "rejected";
      if (!unavailable.includes(error.code)) throw error;
    }
  }
  throw new RotationError(
    "unsupported",
    `${where}: the server has neither ${mechanisms.join(" nor ")}`,
    "This login changed nothing. Turn one of them on at the server.",
  );
}

async function logInBy(mechanism: Mechanism, wire: Wire, login: Login, where: string): Promise<void> {
  const source = authSourceOf(login);
  const scram = scramClient(mechanism, login);
  const started = await wire.command(source, {
    saslStart: 1,
    mechanism,
    payload: binary(scram.first),
    options: { skipEmptyExchange: true },
  });
  const next = (payload: string) =>
    wire.command(source, { saslContinue: 1, conversationId: started.conversationId, payload: binary(payload) });
  const answer = await next(await scram.final(textIn(started)));
  if (!scram.isProof(textIn(answer))) {
    throw new RotationError(
      "database",
      `${where}: the server did not prove that it knows the user's password`,
      "This login changed nothing. Something else than the database may answer there: check host and port of the secret.",
    );
  }
  // An older server wants one more message, with nothing in it.
  if (answer.done !== true && (await next("")).done !== true) throw new Error("the server does not end the login");
}

/**
 * A server may keep its users in one database whichever a login names, as DocumentDB's documentation says of `admin`.
 *
 * @see https://docs.aws.amazon.com/documentdb/latest/developerguide/role_based_access_control.html
 */
async function asTheServerSays(wire: Wire, login: Login, where: string): Promise<Login> {
  const { user = login.username, db = authSourceOf(login) } = await sessionUser(wire);
  if (user === login.username) return { ...login, userKeys: { ...login.userKeys, authSource: db } };
  throw new RotationError(
    "wrong-target",
    `${where}: the server says that this session is of "${user}" of ${db}`,
    "This login changed nothing. A rotation changes the user that the secret names: put the name that the server has into the secret.",
  );
}

/** Nothing where the server does not say. @see https://www.mongodb.com/docs/manual/reference/command/connectionStatus/ */
async function sessionUser(wire: Wire): Promise<Document> {
  try {
    const { authInfo } = await wire.command("admin", { connectionStatus: 1 });
    return authInfo?.authenticatedUsers?.[0] ?? {};
  } catch (error) {
    if (error instanceof ServerError) return {};
    throw error;
  }
}

/** Shown in the server's log. */
const client = {
  application: { name: "quarterturn" },
  driver: { name: "quarterturn", version: "1" },
  os: { type: process.platform },
};

/** A server that says nothing about mechanisms has the older one, or does not know the user. */
function mechanismIn({ saslSupportedMechs: offered }: Document, where: string): Mechanism {
  if (!Array.isArray(offered) || offered.length === 0) return "SCRAM-SHA-1";
  const known = mechanisms.find((each) => offered.includes(each));
  if (known) return known;
  throw new RotationError(
    "unsupported",
    `${where}: the user logs in by ${offered.join(" or ")}, and not by a password`,
    "This try changed nothing. Give the user one of the mechanisms SCRAM-SHA-256 and SCRAM-SHA-1 (updateUser with pwd and mechanisms).",
  );
}

const binary = (text: string) => new Binary(Buffer.from(text));
const textIn = ({ payload }: Document) =>
  payload instanceof Binary ? Buffer.from(payload.value()).toString("utf8") : "";
