import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import type { EffectMeter } from "./effects.ts";

/** A request that reached Secrets Manager. */
interface ApiCall {
  /** e.g. GetSecretValue */
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
}

/** Stands before Secrets Manager's endpoint: sees every request of the rotator, and can stop the process at any. */
export interface ApiProxy extends AsyncDisposable {
  readonly url: string;
  /** Every request since the last `forget`. */
  readonly calls: readonly ApiCall[];
  forget(): void;
  /** Where requests go from now on. */
  forwardTo(url: string): void;
}

export async function startApiProxy(meter: EffectMeter): Promise<ApiProxy> {
  let upstream = "";
  let calls: ApiCall[] = [];

  async function pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request);
    const operation = String(request.headers["x-amz-target"]).replace(/^.*\./, "");
    calls.push({ operation, input: JSON.parse(body.toString()) as ApiCall["input"] });
    const stop = meter.count(operation);
    if (stop === "before") {
      await meter.kill();
      response.destroy();
      return;
    }
    const { status, type, text } = await forward(upstream, request, body);
    if (stop === "after") {
      await meter.kill();
      response.destroy();
      return;
    }
    response.writeHead(status, { "content-type": type }).end(text);
  }

  const server = createServer((request, response) => {
    pass(request, response).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : new Error(String(error)));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get calls() {
      return calls;
    },
    forget() {
      calls = [];
    },
    forwardTo(url) {
      upstream = url;
    },
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

async function forward(upstream: string, request: IncomingMessage, body: Uint8Array<ArrayBuffer>) {
  const response = await fetch(upstream, {
    method: request.method ?? "POST",
    headers: {
      "content-type": request.headers["content-type"] ?? "",
      "x-amz-target": String(request.headers["x-amz-target"]),
    },
    body,
  });
  return {
    status: response.status,
    type: response.headers.get("content-type") ?? "application/x-amz-json-1.1",
    text: await response.text(),
  };
}
