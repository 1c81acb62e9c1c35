import { once } from "node:events";
import { createServer, type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";

/** A way to an HTTP server on which requests are seen. */
export interface Proxy extends AsyncDisposable {
  readonly port: number;
}

/** @param seen called for each request when it is answered, before the client has the answer */
export async function startProxy(
  to: string,
  seen: (incoming: IncomingMessage, status: number | undefined) => void,
): Promise<Proxy> {
  const server = createServer((incoming, outgoing) => {
    const { method, headers, url = "/" } = incoming;
    const forwarded = request(new URL(url, to), { method, headers }, (answer) => {
      seen(incoming, answer.statusCode);
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    forwarded.on("error", (error) => outgoing.destroy(error));
    incoming.pipe(forwarded);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
