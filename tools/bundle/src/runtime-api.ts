import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";

/** An error as a runtime reports it. */
export interface ReportedError {
  readonly errorType: string;
  readonly errorMessage: string;
}

/** What a runtime said of an invocation. */
interface Answer {
  readonly error: ReportedError | undefined;
  /** What src/rapid-client.cjs adds. */
  readonly cost: string;
}

/**
 * Lambda's runtime API, for one process: the runtime in it asks here for events and posts what came of them.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 */
export interface RuntimeApi extends AsyncDisposable {
  /** Host and port, as AWS_LAMBDA_RUNTIME_API has them. */
  readonly address: string;
  /** The handler is loaded, and the runtime asks for the first event; or why it is not. */
  readonly initialized: Promise<{ readonly initMs: number } | { readonly error: ReportedError }>;
  /** Hands an event out, one at a time. */
  invoke(requestId: string, event: unknown, deadline: Date): Promise<Answer>;
}

const root = "/2018-06-01/runtime/";
const functionArn = "arn:aws:lambda:us-east-1:000000000000:function:rotation";

export async function startRuntimeApi(): Promise<RuntimeApi> {
  const initialized = Promise.withResolvers<{ initMs: number } | { error: ReportedError }>();
  let asking = Promise.withResolvers<ServerResponse>();
  let invocation: { readonly id: string; readonly resolve: (answer: Answer) => void } | undefined;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method, url = "", headers } = request;
    const [, id, outcome] = /invocation\/([^/]+)\/(response|error)$/.exec(url) ?? [];
    if (method === "GET" && url === `${root}invocation/next`) {
      initialized.resolve({ initMs: Number(headers["init-ms"]) });
      asking.resolve(response);
    } else if (method === "POST" && url === `${root}init/error`) {
      initialized.resolve({ error: (await json(request)) as ReportedError });
      accept(response);
    } else if (method === "POST" && id !== undefined && id === invocation?.id) {
      const body = await json(request);
      const { resolve } = invocation;
      invocation = undefined;
      accept(response);
      resolve({ error: outcome === "error" ? (body as ReportedError) : undefined, cost: String(headers.cost) });
    } else {
      response.writeHead(400, { "content-type": "application/json" });
      response.end(JSON.stringify({ errorType: "InvalidRequest", errorMessage: `${method} ${url}` }));
    }
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");

  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    initialized: initialized.promise,
    async invoke(requestId, event, deadline) {
      const next = await asking.promise;
      asking = Promise.withResolvers();
      const answered = Promise.withResolvers<Answer>();
      invocation = { id: requestId, resolve: answered.resolve };
      next.writeHead(200, {
        "content-type": "application/json",
        "lambda-runtime-aws-request-id": requestId,
        "lambda-runtime-deadline-ms": deadline.getTime(),
        "lambda-runtime-invoked-function-arn": functionArn,
        "lambda-runtime-trace-id": `Root=1-${randomBytes(4).toString("hex")}-${randomBytes(12).toString("hex")};Sampled=0`,
      });
      next.end(JSON.stringify(event));
      return answered.promise;
    },
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

function accept(response: ServerResponse): void {
  response.writeHead(202, { "content-type": "application/json" }).end('{"status":"OK"}');
}
