import { once } from "node:events";
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { RotationError } from "@quarterturn/core";
import {
  type EngineContext,
  isUnknownAuthority,
  type Login,
  noTlsError,
  tlsError,
  whereOf,
} from "@quarterturn/database";
import type { Document } from "bson";
import { authenticate } from "./authentication.ts";
import { answersInPlaintext, certificateIssuer } from "./diagnosis.ts";
import { connectionError, type Stage, statementError, Timeout } from "./errors.ts";
import { wireOver } from "./wire.ts";

/** Runs a command in a database; `doing` and `remedy` (what helps where a right is missing) make the words of its error. */
export type Run = (database: string, command: Document, doing: string, remedy?: string) => Promise<Document>;

export interface Connection {
  /** As whom it has logged in: `authSource` is the user's database as the server says it. */
  readonly login: Login;
  readonly run: Run;
  /** Ends it; waits a second for the server's part of that, and no longer. */
  close(): Promise<void>;
}

/**
 * A connection that has logged in, to exactly the host of the login: a cluster's endpoint is its writer; or `rejected` where the server
 * refused the name or the password.
 *
 * @throws RotationError `unreachable`, `timeout`, `tls`, `unsupported`, `wrong-target`, `busy` or `database`
 */
export async function connect(login: Login, { deadline }: EngineContext): Promise<Connection | "rejected"> {
  const where = whereOf(login);
  const milliseconds = deadline.share();
  const socket = open(login);
  const reached = { stage: "connecting" as Stage };
  socket.once("connect", () => {
    reached.stage = login.tls ? "encrypting" : "logging in";
  });
  const wire = wireOver(socket);
  const withinTime = async <T>(limit: number, work: () => Promise<T>): Promise<T> => {
    const timer = setTimeout(() => socket.destroy(new Timeout(limit)), limit);
    try {
      return await work();
    } finally {
      clearTimeout(timer);
    }
  };
  const close = async () => {
    if (socket.destroyed) return;
    const timer = setTimeout(() => socket.destroy(), 1_000);
    // Not by events.once: a connection that has broken has nothing to end.
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.end();
    await closed;
    clearTimeout(timer);
  };

  let answer: Login | "rejected";
  try {
    answer = await withinTime(milliseconds, async () => {
      // Nothing is sent before the certificate is verified.
      await once(socket, login.tls ? "secureConnect" : "connect");
      reached.stage = "logging in";
      return authenticate(wire, login, where);
    });
    if (answer === "rejected") {
      await close();
      return answer;
    }
  } catch (error) {
    socket.destroy();
    if (error instanceof RotationError) throw error;
    if (reached.stage === "encrypting") {
      const issuer = isUnknownAuthority(error) ? await certificateIssuer(login, deadline.share()) : undefined;
      const reason = tlsError(error, where, issuer);
      if (reason) throw reason;
      if (await answersInPlaintext(login, deadline.share())) throw noTlsError(where, error);
    }
    throw connectionError(error, login, where, reached.stage);
  }

  return {
    login: answer,
    async run(database, command, doing, remedy) {
      try {
        return await withinTime(deadline.share(), () => wire.command(database, command));
      } catch (error) {
        throw statementError(error, where, doing, remedy);
      }
    },
    close,
  };
}

function open({ host, port, tls }: Login): Socket {
  const socket = tls
    ? connectTls({ host, port, secureContext: tls.secureContext, ...(isIP(host) ? {} : { servername: host }) })
    : connectTcp({ host, port });
  return socket.setNoDelay(true);
}
