import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

/** An endpoint of several services: Secrets Manager is the real local one, Lambda and CloudWatch Logs are imitated here. */
export interface ImitatedAws extends AsyncDisposable {
  readonly url: string;
  /** What the function's log group holds when it is asked about a version; without it there is no such group. */
  log?: (version: string) => readonly string[];
}

/**
 * Imitated are GetFunctionConfiguration, for any function, and FilterLogEvents with a pattern that is one quoted text, in pages of two
 * events.
 *
 * @param logGroup the one that every function has been given
 * @param onAnswer is waited for when Secrets Manager has answered, before the answer goes on
 */
export async function startImitatedAws(
  secretsManagerUrl: string,
  logGroup: string,
  onAnswer: (operation: string) => Promise<void> = async () => undefined,
): Promise<ImitatedAws> {
  const server = createServer((request, response) => void answer(request, response));

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const target = String(request.headers["x-amz-target"] ?? request.url);
    const body = await buffer(request);
    if (target.startsWith("secretsmanager.")) {
      const headers = { "content-type": "application/x-amz-json-1.1", "x-amz-target": target };
      const forwarded = await fetch(secretsManagerUrl, { method: "POST", headers, body: new Uint8Array(body) });
      await onAnswer(target.replace("secretsmanager.", ""));
      response.writeHead(forwarded.status, Object.fromEntries(forwarded.headers)).end(await forwarded.text());
    } else if (/^\/2015-03-31\/functions\/.*\/configuration$/.test(target)) {
      response.end(JSON.stringify({ FunctionName: "any", LoggingConfig: { LogGroup: logGroup } }));
    } else if (target === "Logs_20140328.FilterLogEvents") {
      const found = filter(JSON.parse(body.toString()) as Filter);
      response.writeHead(found ? 200 : 400).end(JSON.stringify(found ?? { __type: "ResourceNotFoundException" }));
    } else {
      response.writeHead(500).end(`${target} is not imitated`);
    }
  }

  interface Filter {
    readonly logGroupName: string;
    readonly filterPattern: string;
    readonly nextToken?: string;
  }

  function filter({ logGroupName, filterPattern, nextToken = "0" }: Filter): object | undefined {
    const version = filterPattern.slice(1, -1);
    if (logGroupName !== logGroup || !aws.log) return undefined;
    const events = aws
      .log(version)
      .map((message, i) => ({ message, eventId: String(i), timestamp: Date.now() }))
      .filter(({ message }) => message.includes(version));
    const from = Number(nextToken);
    return { events: events.slice(from, from + 2), ...(events.length > from + 2 && { nextToken: String(from + 2) }) };
  }

  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const aws: ImitatedAws = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return aws;
}
