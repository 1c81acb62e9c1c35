import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { SecretsManager } from "@aws-sdk/client-secrets-manager";
import type { Address, Strategy, Target } from "@quarterturn/conformance";
import { startRedshiftData } from "@quarterturn/local";
import { probeName } from "../../src/probe-secret.ts";
import { warehouseOver } from "../data-api/warehouse.ts";
import { redshiftTarget } from "./target.ts";

/** The imitation of Redshift behind a local Data API. TLS faults are the wire's: the Data API is AWS's own endpoint, as Secrets Manager is. */
export async function dataApiTarget(strategy: Strategy, secretsManagers: readonly string[]): Promise<Target> {
  await using opened = new AsyncDisposableStack();
  const { server, tlsFaults: _ofTheWire, ...target } = await redshiftTarget(strategy);
  opened.use(target);
  const secrets = opened.use(await startFrontOfAll(secretsManagers));
  const data = opened.use(await startRedshiftData({ secretsManager: secrets.url, warehouse: warehouseOver(server) }));
  const credentials = { accessKeyId: "operator", secretAccessKey: "operator" };
  const sm = new SecretsManager({ endpoint: secrets.url, region: "us-east-1", credentials });
  opened.defer(() => sm.destroy());
  const closing = opened.move();
  return {
    ...target,
    address: { host: "conformance.abc123.us-east-1.redshift.amazonaws.com", port: 5439 },
    reachedAt: { host: "127.0.0.1", port: Number(new URL(data.url).port) },
    async leftovers(secretId) {
      const probe = probeName(secretId);
      const found = await sm.describeSecret({ SecretId: probe }).catch((error: Error) => {
        if (error.name === "ResourceNotFoundException") return undefined;
        throw error;
      });
      return found ? [probe] : [];
    },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

/** The function's environment: the Data API is reached by the suite's proxy. */
export const dataApiEnvironment = ({ port }: Address) => ({
  REDSHIFT_TRANSPORT: "data-api",
  AWS_ENDPOINT_URL_REDSHIFT_DATA: `http://127.0.0.1:${port}`,
});

/** One endpoint over several: the first that finds what is asked for answers, else the last. */
async function startFrontOfAll(endpoints: readonly string[]): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer(async (request, response) => {
    const body = await buffer(request);
    const type = String(request.headers["content-type"]);
    const headers = { "content-type": type, "x-amz-target": String(request.headers["x-amz-target"]) };
    let answer = { status: 503, text: "{}" };
    for (const endpoint of endpoints) {
      const { status, text } = await fetch(endpoint, { method: "POST", headers, body }).then(async (each) => ({
        status: each.status,
        text: await each.text(),
      }));
      answer = { status, text };
      if (status === 200) break;
    }
    response.writeHead(answer.status, { "content-type": type }).end(answer.text);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
