import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

/** An endpoint of Secrets Manager, which is the real local one, and of Lambda, whose functions are imitated. */
export interface ImitatedLambda extends AsyncDisposable {
  readonly url: string;
  /** The functions that there are, by name; they are listed in pages of one. */
  functions: Readonly<Record<string, { readonly Description?: string; readonly Environment?: object }>>;
  /** What becomes of an answer of Secrets Manager on its way; it is an error where it has a `__type`. */
  onAnswer: (operation: string, answer: object) => Promise<object>;
}

/** Imitated are GetFunctionConfiguration and ListFunctions. */
export async function startImitatedLambda(
  secretsManagerUrl: string,
  functionArn: (name: string) => string,
): Promise<ImitatedLambda> {
  const server = createServer((request, response) => void answer(request, response));

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? "", "http://lambda");
    if (pathname.startsWith("/2015-03-31/functions")) {
      const [, arn] = /^\/2015-03-31\/functions\/(.+)\/configuration$/.exec(decodeURIComponent(pathname)) ?? [];
      const found = arn === undefined ? list(Number(searchParams.get("Marker") ?? 0)) : functionAt(arn);
      if (found) response.end(JSON.stringify(found));
      else response.writeHead(404, { "x-amzn-errortype": "ResourceNotFoundException" }).end("{}");
      return;
    }
    const target = String(request.headers["x-amz-target"]);
    const headers = { "content-type": "application/x-amz-json-1.1", "x-amz-target": target };
    const body = new Uint8Array(await buffer(request));
    const forwarded = await fetch(secretsManagerUrl, { method: "POST", headers, body });
    const changed = await lambda.onAnswer(target.replace("secretsmanager.", ""), (await forwarded.json()) as object);
    response.writeHead("__type" in changed ? 400 : 200).end(JSON.stringify(changed));
  }

  const functionAt = (arn: string) => lambda.functions[arn.split(":").at(-1) ?? ""];

  function list(marker: number): object {
    const all = Object.entries(lambda.functions);
    const page = all.slice(marker, marker + 1).map(([name, known]) => ({ ...known, FunctionArn: functionArn(name) }));
    return { Functions: page, ...(marker + 1 < all.length && { NextMarker: String(marker + 1) }) };
  }

  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const lambda: ImitatedLambda = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    functions: {},
    onAnswer: async (_, given) => given,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return lambda;
}
