import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { accessDenied, malformedInput, ServiceError, unknownOperation } from "./errors.ts";

const CONTENT_TYPE = "application/x-amz-json-1.1";
const TARGET_PREFIX = "secretsmanager.";
const BODY_LIMIT_BYTES = 1_048_576;

/** Errors that are not in Secrets Manager's API model but in every AWS service spell their text's member `message`. */
const COMMON_ERRORS = new Set([
  "AccessDeniedException",
  "SerializationException",
  "UnknownOperationException",
  "ValidationException",
]);

/**
 * A server of AWS's JSON 1.1 protocol that no web page can reach: it wants a loopback Host (DNS rebinding), no Origin,
 * and the service's content type (a form cannot send it). Whatever it gets, it answers in the service's shape.
 */
export function httpServer(answer: (operation: string, body: Uint8Array) => object): Server {
  const server = createServer({ requireHostHeader: false }, (request, response) => {
    respond(request, response, answer).catch((error: unknown) => request.destroy(asError(error)));
  });
  server.on("checkExpectation", (request, response) => server.emit("request", request, response));
  server.on("connect", (_request, socket) => refuseSocket(socket));
  server.on("clientError", (_error, socket) => refuseSocket(socket));
  return server;
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  answer: (operation: string, body: Uint8Array) => object,
): Promise<void> {
  try {
    const operation = readTarget(request);
    const body = await readBody(request);
    send(response, 200, answer(operation, body));
  } catch (error) {
    const shown = error instanceof ServiceError ? error : internalError(error);
    send(response, shown.status, errorBody(shown));
    // What is left of the request is read and forgotten: a connection that is cut could take the answer with it.
    request.resume();
  }
}

function readTarget(request: IncomingMessage): string {
  if (!/^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i.test(request.headers.host ?? "")) {
    throw accessDenied("The Host header must name the loopback interface: use http://127.0.0.1 or http://localhost.");
  }
  if (request.headers.origin !== undefined) {
    throw accessDenied("Requests from web pages (with an Origin header) are refused.");
  }
  if (request.method !== "POST" || request.url !== "/") throw unknownOperation();
  const contentType = request.headers["content-type"]?.split(";")[0]?.trim().toLowerCase();
  if (contentType !== CONTENT_TYPE) throw malformedInput(`The content type must be ${CONTENT_TYPE}.`);
  const target = request.headers["x-amz-target"];
  if (typeof target !== "string" || !target.startsWith(TARGET_PREFIX)) throw unknownOperation();
  return target.slice(TARGET_PREFIX.length);
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

const errorBody = ({ code, message }: ServiceError) => ({
  __type: code,
  [COMMON_ERRORS.has(code) ? "message" : "Message"]: message,
});

/** For what is not HTTP: Node has no response object for it. */
function refuseSocket(socket: Duplex): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const json = JSON.stringify(errorBody(malformedInput("The request is not HTTP that this endpoint understands.")));
  const head = ["HTTP/1.1 400 Bad Request", "connection: close", `content-type: ${CONTENT_TYPE}`];
  socket.end([...head, `content-length: ${Buffer.byteLength(json)}`, "", json].join("\r\n"));
}

/** The file could not be written, or a defect of this endpoint: it says so, and goes on. */
const internalError = (error: unknown) =>
  new ServiceError("InternalServiceError", `The local endpoint failed: ${asError(error).message}`, 500);

const asError = (error: unknown) => (error instanceof Error ? error : new Error(String(error)));
