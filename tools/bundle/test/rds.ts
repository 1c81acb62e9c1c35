import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** What RDS contributes to a rotation, played for the tests of what is loaded lazily. */
export interface Rds extends AsyncDisposable {
  /** RDS's own API, in its query protocol. */
  readonly apiUrl: string;
  /** Secrets Manager, which shows the tag of RDS on the secrets that RDS manages; a client can't set it. */
  readonly secretsManagerUrl: string;
  /** The instance that exists from now on, or why nobody is told. */
  answer: { readonly host: string; readonly port: number } | "AccessDenied";
  /** From now on, this secret is one that RDS manages. */
  manages(secretArn: string): void;
}

/** @param endpoint the URL of Secrets Manager */
export async function startRds(endpoint: string): Promise<Rds> {
  const managed = new Set<string>();
  await using stack = new AsyncDisposableStack();
  const apiUrl = await listen(stack, async (request, response) => {
    const asked = new URLSearchParams(await text(request));
    response.setHeader("content-type", "text/xml");
    if (rds.answer === "AccessDenied") {
      response.statusCode = 403;
      response.end(
        "<ErrorResponse><Error><Code>AccessDenied</Code><Message>not allowed</Message></Error></ErrorResponse>",
      );
      return;
    }
    const { host, port } = rds.answer;
    const instance = `<DBInstanceIdentifier>${asked.get("DBInstanceIdentifier")}</DBInstanceIdentifier><Engine>postgres</Engine><Endpoint><Address>${host}</Address><Port>${port}</Port></Endpoint>`;
    response.end(
      `<DescribeDBInstancesResponse><DescribeDBInstancesResult><DBInstances><DBInstance>${instance}</DBInstance></DBInstances></DescribeDBInstancesResult></DescribeDBInstancesResponse>`,
    );
  });
  const secretsManagerUrl = await listen(stack, async (request, response) => {
    const answer = await fetch(endpoint, {
      method: "POST",
      headers: {
        "content-type": String(request.headers["content-type"]),
        "x-amz-target": String(request.headers["x-amz-target"]),
      },
      body: await text(request),
    });
    const body = (await answer.json()) as { ARN?: string; Tags?: unknown };
    const isManaged = managed.has(body.ARN ?? "") && String(request.headers["x-amz-target"]).endsWith("DescribeSecret");
    if (isManaged)
      body.Tags = [{ Key: "aws:rds:primaryDBInstanceArn", Value: "arn:aws:rds:us-east-1:000000000000:db:main" }];
    response.writeHead(answer.status, { "content-type": "application/x-amz-json-1.1" }).end(JSON.stringify(body));
  });
  const running = stack.move();
  const rds: Rds = {
    apiUrl,
    secretsManagerUrl,
    answer: "AccessDenied",
    manages: (secretArn) => void managed.add(secretArn),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
  return rds;
}

async function listen(
  stack: AsyncDisposableStack,
  answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
): Promise<string> {
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  stack.defer(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
