import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import type { ServerCertificate } from "@quarterturn-tools/engines";
import { translate } from "./translation.ts";

/**
 * Stands in front of a PostgreSQL without TLS and makes it look like Redshift to a client of the wire protocol:
 * - it speaks TLS with the certificate, and refuses whoever does not
 * - statements, simple and prepared, are translated; one that is not imitated is an error of the server
 * - a wrong password has the SQLSTATE 28000, and server_version is 8.0.2
 * - a user of `digestUsers` is asked for Redshift's own digest login (type 13)
 * - `onStatement` is told each statement as the client sent it
 *
 * Its host and port are 127.0.0.1 and free. Everything else is PostgreSQL's.
 */
export async function startWireFront(
  server: { readonly port: number },
  certificate: ServerCertificate,
  digestUsers: ReadonlySet<string>,
  onStatement: (sql: string) => void,
): Promise<{ port: number; close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const front = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => sockets.delete(socket));
    socket.once("data", (request) => {
      if (!request.equals(sslRequest)) return socket.end(error("28000", "no pg_hba.conf entry for this host, SSL off"));
      socket.write("S");
      serve(new TLSSocket(socket, { isServer: true, cert: certificate.cert, key: certificate.key }));
    });
  });

  function serve(client: TLSSocket): void {
    const upstream = connect({ port: server.port, host: "127.0.0.1" });
    sockets.add(upstream);
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.on("error", () => other.destroy());
      one.on("close", () => other.destroy());
    }
    let hasStarted = false;
    onMessages(
      client,
      () => hasStarted,
      (type, body) => {
        if (hasStarted) return upstream.write(message(type, translated(type, body, onStatement)));
        hasStarted = true;
        const user = /\0user\0([^\0]*)\0/.exec(`\0${body.subarray(4).toString()}`)?.[1] ?? "";
        if (digestUsers.has(user)) return client.write(message("R", Buffer.from([0, 0, 0, 13])));
        upstream.write(message("", body));
      },
    );
    onMessages(
      upstream,
      () => true,
      (type, body) => client.write(message(type, answered(type, body))),
    );
  }

  front.listen(0, "127.0.0.1");
  await once(front, "listening");
  return {
    port: (front.address() as AddressInfo).port,
    async close() {
      for (const socket of sockets) socket.destroy();
      front.close();
      await once(front, "close");
    },
  };
}

/** @see https://www.postgresql.org/docs/current/protocol-message-formats.html */
const sslRequest = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);

function message(type: string, body: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length + 4);
  return Buffer.concat([Buffer.from(type), length, body]);
}

const error = (code: string, text: string) => message("E", Buffer.from(`SFATAL\0C${code}\0M${text}\0\0`));

/** Cuts what a stream brings into messages; the first of a client has no type. */
function onMessages(stream: Duplex, isTyped: () => boolean, take: (type: string, body: Buffer) => void): void {
  let rest = Buffer.alloc(0);
  stream.on("data", (bytes: Buffer) => {
    rest = Buffer.concat([rest, bytes]);
    for (;;) {
      const at = isTyped() ? 1 : 0;
      if (rest.length < at + 4) return;
      const end = at + rest.readInt32BE(at);
      if (rest.length < end) return;
      const type = rest.toString("latin1", 0, at);
      const body = rest.subarray(at + 4, end);
      rest = rest.subarray(end);
      take(type, body);
    }
  });
}

/** A client's message: Query is a text, Parse a name, a text and the types of parameters. */
function translated(type: string, body: Buffer, onStatement: (sql: string) => void): Buffer {
  if (type !== "Q" && type !== "P") return body;
  const from = type === "P" ? body.indexOf(0) + 1 : 0;
  const to = body.indexOf(0, from);
  const sql = body.toString("utf8", from, to);
  onStatement(sql);
  return Buffer.concat([body.subarray(0, from), Buffer.from(translation(sql)), body.subarray(to)]);
}

function translation(sql: string): string {
  try {
    return translate(sql);
  } catch (reason) {
    const text = (reason as Error).message.replaceAll("'", "''").replaceAll("\\", "\\\\");
    return `DO 'BEGIN RAISE EXCEPTION USING ERRCODE = ''42601'', MESSAGE = ''${text.replaceAll("'", "''")}''; END'`;
  }
}

/** A server's message: the fields of an error, or the value of a parameter. */
function answered(type: string, body: Buffer): Buffer {
  if (type === "E") return Buffer.from(body.toString("latin1").replace("\0C28P01\0", "\0C28000\0"), "latin1");
  if (type === "S" && body.toString().startsWith("server_version\0")) return Buffer.from("server_version\x008.0.2\0");
  return body;
}
