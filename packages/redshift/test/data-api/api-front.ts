import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

/** An error in a service's shape, e.g. one that the service has and its local imitation does not. */
export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

/** Stands before endpoints of a service of AWS's JSON protocol: counts calls, and can answer some in their place. */
export interface ApiFront extends AsyncDisposable {
  readonly url: string;
  /** Asked at each call, with the operation's name: what to answer instead, or undefined. May do something before the call goes on. */
  intercept: (operation: string) => Refusal | undefined | Promise<Refusal | undefined>;
  /** Asked before each answer: it is lost where this never resolves. May change its text. */
  answering: (operation: string, text: string) => string | Promise<string>;
}

/**
 * @param endpoints the first that succeeds answers, else the last
 * @param calls gets the name of every operation
 */
export async function startApiFront(endpoints: readonly string[], calls: string[] = []): Promise<ApiFront> {
  const server = createServer(async (request, response) => {
    const body = await buffer(request);
    const target = String(request.headers["x-amz-target"]);
    const operation = target.replace(/^.*\./, "");
    calls.push(operation);
    const refusal = await front.intercept(operation);
    const type = "application/x-amz-json-1.1";
    if (refusal !== undefined) {
      const json = JSON.stringify({ __type: refusal.code, message: refusal.message });
      response.writeHead(refusal.status, { "content-type": type }).end(json);
      return;
    }
    const headers = { "content-type": type, "x-amz-target": target };
    const forwarded = { status: 503, text: "{}" };
    for (const endpoint of endpoints) {
      const answer = await fetch(endpoint, { method: "POST", headers, body });
      Object.assign(forwarded, { status: answer.status, text: await answer.text() });
      if (answer.ok) break;
    }
    const text = await front.answering(operation, forwarded.text);
    response.writeHead(forwarded.status, { "content-type": type }).end(text);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const front: ApiFront = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    intercept: () => undefined,
    answering: (_operation, text) => text,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
  return front;
}
