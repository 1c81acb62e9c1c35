import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { accessDenied, malformedInput, ServiceError, unknownOperation } from "./service-error.ts";

const CONTENT_TYPE = "application/x-amz-json-1.1";
const BODY_LIMIT_BYTES = 1_048_576;

/** What differs between the services that speak this protocol. */
export interface Protocol {
  /** The service's name, for who asks it for something of another one. */
  readonly service: string;
  /** What stands before an operation's name in the header X-Amz-Target. */
  readonly targetPrefix: string;
  /** The error of a failure of the service's own. */
  readonly internalError: string;
  /** Errors that spell their text's member `message`, as those do which are not in the service's API model. */
  readonly errorsInLowerCase: ReadonlySet<string>;
}

type Answer = (operation: string, body: Uint8Array) => object | Promise<object>;

/**
 * A server of AWS's JSON 1.1 protocol that no web page can reach: it wants a loopback Host (DNS rebinding), no Origin,
 * and the service's content type (a form cannot send it). Whatever it gets, it answers in the service's shape.
 */
export function httpServer(protocol: Protocol, answer: Answer): Server {
  const server = createServer({ requireHostHeader: false }, (request, response) => {
    respond(request, response, protocol, answer).catch((error: unknown) => request.destroy(asError(error)));
  });
  server.on("checkExpectation", (request, response) => server.emit("request", request, response));
  server.on("connect", (_request, socket) => refuseSocket(socket, protocol));
  server.on("clientError", (_error, socket) => refuseSocket(socket, protocol));
  return server;
}

/** Starts a server on 127.0.0.1. @param port any free one if absent @throws if the port is taken */
export async function listenOnLoopback(
  server: Server,
  port = 0,
): Promise<{ readonly url: string; close(): Promise<void> }> {
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      if (!server.listening) return;
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  protocol: Protocol,
  answer: Answer,
): Promise<void> {
  try {
    const operation = readTarget(request, protocol);
    const body = await readBody(request);
    send(response, 200, await answer(operation, body));
  } catch (error) {
    const shown = error instanceof ServiceError ? error : internalError(error, protocol);
    send(response, shown.status, errorBody(shown, protocol));
    // What is left of the request is read and forgotten: a connection that is cut could take the answer with it.
    request.resume();
  }
}

function readTarget(request: IncomingMessage, { service, targetPrefix }: Protocol): string {
  if (!/^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i.test(request.headers.host ?? "")) {
    throw accessDenied("The Host header must name the loopback interface: use http://127.0.0.1 or http://localhost.");
  }
  if (request.headers.origin !== undefined) {
    throw accessDenied("Requests from web pages (with an Origin header) are refused.");
  }
  const other = otherService(request);
  if (other !== undefined)
    throw unknownOperation(`This endpoint on your own machine is ${service} alone: it has no ${other}.`);
  if (request.method !== "POST" || request.url !== "/") throw unknownOperation();
  const contentType = request.headers["content-type"]?.split(";")[0]?.trim().toLowerCase();
  if (contentType !== CONTENT_TYPE) throw malformedInput(`The content type must be ${CONTENT_TYPE}.`);
  const target = request.headers["x-amz-target"];
  if (typeof target !== "string" || !target.startsWith(targetPrefix)) throw unknownOperation();
  return target.slice(targetPrefix.length);
}

/** By what the SDKs ask other services for, which are led here by AWS_ENDPOINT_URL. */
function otherService({ url = "", headers }: IncomingMessage): string | undefined {
  if (/^\/\d{4}-\d\d-\d\d\/functions\b/.test(url)) return "Lambda";
  return /^Logs_/.test(String(headers["x-amz-target"])) ? "CloudWatch Logs" : undefined;
}

async function readBody(request: IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    size += chunk.length;
    if (size > BODY_LIMIT_BYTES) {
      throw new ServiceError("RequestEntityTooLargeException", "The request body is longer than 1 MiB.", 413);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function send(response: ServerResponse, status: number, body: object): void {
  const json = JSON.stringify(body);
  response
    .writeHead(status, {
      "content-type": CONTENT_TYPE,
      "content-length": Buffer.byteLength(json),
      "x-amzn-requestid": randomUUID(),
    })
    .end(json);
}

const errorBody = ({ code, message, members }: ServiceError, { errorsInLowerCase }: Protocol) => ({
  __type: code,
  [errorsInLowerCase.has(code) ? "message" : "Message"]: message,
  ...members,
});

/** For what is not HTTP: Node has no response object for it. */
function refuseSocket(socket: Duplex, protocol: Protocol): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  // Node has taken its own listener off; a client that resets its connection would end the process.
  socket.on("error", () => socket.destroy());
  const error = malformedInput("The request is not HTTP that this endpoint understands.");
  const json = JSON.stringify(errorBody(error, protocol));
  const head = ["HTTP/1.1 400 Bad Request", "connection: close", `content-type: ${CONTENT_TYPE}`];
  socket.end([...head, `content-length: ${Buffer.byteLength(json)}`, "", json].join("\r\n"));
}

/** The file could not be written, or a defect of this endpoint: it says so, and goes on. */
const internalError = (error: unknown, protocol: Protocol) =>
  new ServiceError(protocol.internalError, `The local endpoint failed: ${asError(error).message}`, 500);

const asError = (error: unknown) => (error instanceof Error ? error : new Error(String(error)));
