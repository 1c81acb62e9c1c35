import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

/** An endpoint of several services: Secrets Manager is the real local one, Lambda and CloudWatch Logs are imitated here. */
export interface ImitatedAws extends AsyncDisposable {
  readonly url: string;
  /** What the function's log group holds when it is asked about a version; without it there is no such group. */
  log?: (version: string) => readonly string[];
  /** Answers a call in the place of all others here: another service, or other data. */
  play?: (call: Call) => Answer | undefined;
  /** Every call, as IAM names its action, e.g. `ec2:DescribeSubnets`. */
  readonly calls: string[];
}

export interface Call {
  readonly action: string;
  readonly body: string;
}

export interface Answer {
  readonly status?: number;
  /** As the service's protocol has it: JSON, or XML of EC2 and IAM. */
  readonly body: string;
  /** In JSON's protocols, where an error's name is for Lambda. */
  readonly errorType?: string;
}

/** The action of a call, from its path (Lambda), its header (JSON) or its form (EC2 and IAM). */
function actionOf({ headers, url = "", method }: IncomingMessage, body: string): string {
  const [, service] = /\/([a-z0-9-]+)\/aws4_request/.exec(headers.authorization ?? "") ?? [];
  const target = headers["x-amz-target"];
  if (typeof target === "string") return `${service}:${target.split(".").at(-1)}`;
  const ofLambda = { configuration: "GetFunctionConfiguration", policy: "GetPolicy" }[url.split("/").at(-1) ?? ""];
  return `${service}:${ofLambda ?? new URLSearchParams(body).get("Action") ?? `${method} ${url}`}`;
}

/**
 * Imitated are GetFunctionConfiguration, for any function, and FilterLogEvents with a pattern that is one quoted text, in pages of two
 * events.
 *
 * @param logGroup the one that every function has been given
 * @param onAnswer is waited for when Secrets Manager has answered, before the answer goes on; what it returns goes on instead, as an
 *   error where it has a `__type`
 */
export async function startImitatedAws(
  secretsManagerUrl: string,
  logGroup: string,
  onAnswer: (operation: string, input: Record<string, string>) => Promise<object | undefined> = async () => undefined,
): Promise<ImitatedAws> {
  const server = createServer((request, response) => void answer(request, response));

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const target = String(request.headers["x-amz-target"] ?? request.url);
    const body = await buffer(request);
    const action = actionOf(request, body.toString());
    aws.calls.push(action);
    const played = aws.play?.({ action, body: body.toString() });
    if (played) {
      const headers = played.errorType === undefined ? {} : { "x-amzn-errortype": played.errorType };
      response.writeHead(played.status ?? 200, headers).end(played.body);
    } else if (target.startsWith("secretsmanager.")) {
      const headers = { "content-type": "application/x-amz-json-1.1", "x-amz-target": target };
      const forwarded = await fetch(secretsManagerUrl, { method: "POST", headers, body: new Uint8Array(body) });
      const instead = await onAnswer(target.replace("secretsmanager.", ""), JSON.parse(body.toString()));
      if (instead) response.writeHead("__type" in instead ? 400 : 200).end(JSON.stringify(instead));
      else response.writeHead(forwarded.status, Object.fromEntries(forwarded.headers)).end(await forwarded.text());
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
    calls: [],
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return aws;
}
