import { once } from "node:events";
import { connect } from "node:net";
import { type RotationContext, RotationError, reasonOf } from "@quarterturn/core";
import type { Request, Response } from "./account-server.ts";

export interface Login {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
}

/** An authenticated connection. */
export interface Session {
  ask(request: Request): Promise<void>;
  close(): void;
}

/**
 * Logs in.
 *
 * @throws RotationError `unreachable`, `timeout`; from the session `privilege`, `wrong-target`
 */
export async function login(to: Login, { deadline }: Pick<RotationContext, "deadline">): Promise<Session | "rejected"> {
  const where = `${to.host}:${to.port}`;
  const socket = connect({ host: to.host, port: to.port });
  socket.setTimeout(deadline.share(), () => socket.destroy(silent(where)));
  socket.on("end", () => socket.destroy(new Error("the server ended the connection")));
  // Whoever waits for an answer gets the error; nobody else needs it.
  socket.on("error", () => undefined);

  async function send(request: Request): Promise<Response> {
    socket.write(`${JSON.stringify(request)}\n`);
    try {
      const [answer] = (await once(socket, "data")) as [Buffer];
      return JSON.parse(answer.toString()) as Response;
    } catch (error) {
      throw error instanceof RotationError ? error : unreachable(where, error);
    }
  }

  try {
    const welcome = await send({ do: "login", username: to.username, password: to.password });
    if (welcome.ok) return { ask, close: () => socket.destroy() };
    socket.destroy();
    return "rejected";
  } catch (error) {
    socket.destroy();
    throw error;
  }

  async function ask(request: Request): Promise<void> {
    const response = await send(request);
    if (response.ok) return;
    const code = request.do === "requireTwin" ? "wrong-target" : "privilege";
    throw new RotationError(code, `${where}: ${request.do}: ${response.error}`, `Let "${to.username}" do it.`);
  }
}

function unreachable(where: string, cause: unknown): RotationError {
  return new RotationError("unreachable", `${where}: ${reasonOf(cause)}`, "Check host and port of the secret.", {
    cause,
  });
}

function silent(where: string): RotationError {
  return new RotationError("timeout", `${where} does not answer`, "Check that the accounts' server is not overloaded.");
}
