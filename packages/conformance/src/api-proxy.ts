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

/** What Secrets Manager itself does wrong: it refuses, fails, is too busy and then fails once, or does what it is asked and never says so. */
export type ServiceFault = "denies" | "fails" | "recovers" | "silent";

/** Stands before Secrets Manager's endpoint: sees every request of the rotator, and can stop the process at any. */
export interface ApiProxy extends AsyncDisposable {
  readonly url: string;
  /** Every request since the last `forget`. */
  readonly calls: readonly ApiCall[];
  forget(): void;
  /** Where requests go from now on. */
  forwardTo(url: string): void;
  /** From the request `from` on, counted from now, there is a fault, in one operation or in all; undefined: there is none. */
  play(fault: { readonly is: ServiceFault; readonly from: number; readonly in?: string } | undefined): void;
}

export async function startApiProxy(meter: EffectMeter): Promise<ApiProxy> {
  let upstream = "";
  let calls: ApiCall[] = [];
  let faultOf = (_operation: string): Fault | undefined => undefined;

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
    const fault = faultOf(operation);
    if (fault && fault !== "silent") {
      response.writeHead(fault.status, { "content-type": jsonType }).end(JSON.stringify(fault.body));
      return;
    }
    const { status, type, text } = await forward(upstream, request, body);
    // The caller ends the connection when it has waited for long enough.
    if (fault === "silent") return;
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
    play(fault) {
      let requests = 0;
      faultOf = (operation) => {
        if (fault?.in !== undefined && fault.in !== operation) return undefined;
        const since = fault ? requests++ - fault.from : -1;
        return fault && since >= 0 ? answers[fault.is](since) : undefined;
      };
    },
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

const jsonType = "application/x-amz-json-1.1";

type Fault = "silent" | { readonly status: number; readonly body: object };

const denied: Fault = {
  status: 400,
  body: {
    __type: "AccessDeniedException",
    Message: "User: arn:aws:sts::000000000000:assumed-role/rotation/rotation is not authorized to perform this action",
  },
};
const throttled: Fault = { status: 400, body: { __type: "ThrottlingException", message: "Rate exceeded" } };
const failed: Fault = {
  status: 500,
  body: { __type: "InternalServiceError", Message: "An error occurred on the server side." },
};

/** What is answered to each request from the fault's first on; undefined: nothing is wrong with it. */
const answers: Readonly<Record<ServiceFault, (request: number) => Fault | undefined>> = {
  denies: () => denied,
  fails: () => failed,
  // An SDK tries three times by default.
  recovers: (request) => [throttled, failed][request],
  silent: () => "silent",
};

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
    type: response.headers.get("content-type") ?? jsonType,
    text: await response.text(),
  };
}
