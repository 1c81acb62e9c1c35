import { type DescribeStatementCommandOutput, RedshiftData } from "@aws-sdk/client-redshift-data";
import { type SecretListEntry, SecretsManager } from "@aws-sdk/client-secrets-manager";
import { deadlineOf } from "@quarterturn/core";
import type { EngineContext, Login } from "@quarterturn/database";
import { type LocalEndpoint, startLocal, startRedshiftData, type Warehouse } from "@quarterturn/local";
import { recordedContext } from "@quarterturn-tools/test/rotator-by-hand";
import type { Client } from "pg";
import { vi } from "vitest";
import { dataApi } from "../../src/data-api.ts";
import { PROBE_PREFIX } from "../../src/manifest.ts";
import type { Transport } from "../../src/transport.ts";
import { startRedshiftImitation } from "../imitation/server.ts";
import { type ApiFront, startApiFront } from "./api-front.ts";
import { warehouseOver } from "./warehouse.ts";

export interface Fixture extends AsyncDisposable {
  readonly superuser: Client;
  /** An operator's client, past the front. */
  readonly sm: SecretsManager;
  /** The function's client. */
  readonly functions: SecretsManager;
  readonly transport: Transport;
  readonly local: LocalEndpoint;
  /** Asked before each login of the Data API: the statement is PICKED until it resolves. */
  picked: () => void | Promise<void>;
  /** What stands before Secrets Manager and the Data API. */
  readonly secretsFront: ApiFront;
  readonly dataFront: ApiFront;
  /** The rotated secret: of app, whose password is right. */
  readonly secretArn: string;
  /** The admin's secret. */
  readonly adminArn: string;
  readonly app: Login;
  /** Has the Data API read secrets when a statement is submitted, or when it starts. */
  readSecrets(when: "at-submission" | "at-start"): void;
  /** What the Data API, that reads secrets at submission, says of a statement. */
  describe(id: string): Promise<DescribeStatementCommandOutput>;
  /** The probe secrets that there are. */
  probes(): Promise<readonly SecretListEntry[]>;
  /** Both services' calls since this was last asked, in order. */
  calls(): readonly string[];
}

export const FUNCTION_NAME = "warehouse-rotation";
export const KMS_KEY = "arn:aws:kms:us-east-1:000000000000:key/of-the-source";

/** The imitation of Redshift behind a local Data API, and a transport to it. */
export async function startFixture(): Promise<Fixture> {
  await using opened = new AsyncDisposableStack();
  const imitation = opened.use(await startRedshiftImitation());
  const { superuser } = imitation;
  await superuser.query("CREATE ROLE app LOGIN PASSWORD 'right'");
  const local = opened.use(await startLocal());
  const behind = warehouseOver(imitation);
  const warehouse: Warehouse = {
    async connect(login) {
      await fixture.picked();
      return behind.connect(login);
    },
  };
  const common = { secretsManager: local.url, warehouse };
  const data = opened.use(await startRedshiftData(common));
  const dataReadingAtStart = opened.use(await startRedshiftData({ ...common, readsSecret: "at-start" }));
  const dataEndpoints = [data.url];
  const calls: string[] = [];
  const secretsFront = opened.use(await startApiFront([local.url], calls));
  const dataFront = opened.use(await startApiFront(dataEndpoints, calls));
  vi.stubEnv("AWS_ENDPOINT_URL_REDSHIFT_DATA", dataFront.url);
  const credentials = { accessKeyId: "operator", secretAccessKey: "operator" };
  const sm = new SecretsManager({ endpoint: local.url, region: local.region, credentials });
  opened.defer(() => sm.destroy());
  const functions = new SecretsManager({ endpoint: secretsFront.url, region: local.region, credentials });
  opened.defer(() => functions.destroy());
  const { ARN: secretArn = "" } = await sm.createSecret({
    Name: "prod/warehouse",
    SecretString: '{"username":"app","password":"right"}',
    KmsKeyId: KMS_KEY,
  });
  const operator = new RedshiftData({ endpoint: data.url, region: local.region, credentials });
  opened.defer(() => operator.destroy());
  const host = "warehouse.abc123.us-east-1.redshift.amazonaws.com";
  const { ARN: adminArn = "" } = await sm.createSecret({
    Name: "prod/admin",
    SecretString: JSON.stringify({ engine: "redshift", host, port: 5439, ...imitation.admin }),
  });
  const closing = opened.move();
  const fixture: Fixture = {
    picked: () => undefined,
    superuser,
    sm,
    functions,
    local,
    secretsFront,
    dataFront,
    secretArn,
    adminArn,
    transport: dataApi({ SECRETS_MANAGER_ENDPOINT: secretsFront.url, AWS_LAMBDA_FUNCTION_NAME: FUNCTION_NAME }),
    app: {
      host,
      port: 5439,
      dbname: "dev",
      username: "app",
      password: "right",
      userKeys: {},
      tls: false,
    },
    readSecrets(when) {
      dataEndpoints[0] = (when === "at-start" ? dataReadingAtStart : data).url;
    },
    describe: (Id) => operator.describeStatement({ Id }),
    async probes() {
      const { SecretList = [] } = await sm.listSecrets({ Filters: [{ Key: "name", Values: [PROBE_PREFIX] }] });
      return SecretList;
    },
    calls: () => calls.splice(0),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
  return fixture;
}

/** A context as the Lambda adapter makes it, whose log can be read. */
export function contextOf(
  { secretArn, adminArn, functions }: Fixture,
  milliseconds = 20_000,
): EngineContext & { readonly lines: string[] } {
  const end = performance.now() + milliseconds;
  return {
    ...recordedContext({}),
    secretId: secretArn,
    token: "the-token-of-the-pending-version",
    deadline: deadlineOf(() => Math.max(0, end - performance.now())),
    async readSecret(SecretId) {
      if (SecretId !== adminArn) throw new Error("No other secret is read");
      return (await functions.getSecretValue({ SecretId })).SecretString ?? "";
    },
    async describeSecret(SecretId) {
      const { KmsKeyId } = await functions.describeSecret({ SecretId });
      return { tags: {}, ...(KmsKeyId === undefined ? {} : { kmsKeyId: KmsKeyId }) };
    },
  };
}
