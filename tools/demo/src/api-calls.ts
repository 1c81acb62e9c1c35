import { once } from "node:events";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";

/** A way to an endpoint on which calls are counted. */
export interface CountedEndpoint extends AsyncDisposable {
  readonly url: string;
  /** The operations that were called, in order, e.g. "GetSecretValue". */
  readonly calls: readonly string[];
}

/**
 * A loopback proxy before the endpoint, for the rotation functions alone: the endpoint's own log of events does not say who called, and the
 * application calls all the time.
 */
export async function countCalls(endpoint: string): Promise<CountedEndpoint> {
  const calls: string[] = [];
  const server = createServer((incoming, outgoing) => {
    // "secretsmanager.GetSecretValue"
    calls.push(String(incoming.headers["x-amz-target"]).split(".").at(-1) ?? "");
    const { method, headers } = incoming;
    const forwarded = request(endpoint, { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    forwarded.on("error", (error) => outgoing.destroy(error));
    incoming.pipe(forwarded);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    calls,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
