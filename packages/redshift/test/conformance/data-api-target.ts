import { SecretsManager } from "@aws-sdk/client-secrets-manager";
import type { Address, Strategy, Target } from "@quarterturn/conformance";
import { startRedshiftData } from "@quarterturn/local";
import { PROBE_PREFIX } from "../../src/manifest.ts";
import { probeName } from "../../src/probe-secret.ts";
import { startApiFront } from "../data-api/api-front.ts";
import { warehouseOver } from "../data-api/warehouse.ts";
import { redshiftTarget } from "./target.ts";

/**
 * The imitation of Redshift behind a local Data API. AWS does not say when it reads a statement's secret: one strategy is tried with each of
 * the times.
 */
export async function dataApiTarget(strategy: Strategy, secretsManagers: readonly string[]): Promise<Target> {
  await using opened = new AsyncDisposableStack();
  const { server, ...target } = await redshiftTarget(strategy);
  opened.use(target);
  const secrets = opened.use(await startApiFront(secretsManagers));
  const readsSecret = strategy === "single-user" ? "at-start" : "at-submission";
  const warehouse = warehouseOver(server);
  const data = opened.use(await startRedshiftData({ secretsManager: secrets.url, warehouse, readsSecret }));
  const credentials = { accessKeyId: "operator", secretAccessKey: "operator" };
  const sm = new SecretsManager({ endpoint: secrets.url, region: "us-east-1", credentials });
  opened.defer(() => sm.destroy());
  const closing = opened.move();
  return {
    ...target,
    tlsFaults:
      "the Data API is an endpoint of AWS's own, as Secrets Manager is: the database's certificate is never seen",
    address: { host: "conformance.abc123.us-east-1.redshift.amazonaws.com", port: 5439 },
    reachedAt: { host: "127.0.0.1", port: Number(new URL(data.url).port) },
    async leftovers(secretId) {
      const { SecretList = [] } = await sm.listSecrets({ Filters: [{ Key: "name", Values: [PROBE_PREFIX] }] });
      const ofSecret = probeName(secretId).replace(PROBE_PREFIX, "/");
      return SecretList.flatMap(({ Name = "" }) => (Name.endsWith(ofSecret) ? [Name] : []));
    },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

/** The function's environment: the Data API is reached by the suite's proxy. */
export const dataApiEnvironment = ({ port }: Address) => ({
  REDSHIFT_TRANSPORT: "data-api",
  AWS_ENDPOINT_URL_REDSHIFT_DATA: `http://127.0.0.1:${port}`,
});
