import { RedshiftData } from "@aws-sdk/client-redshift-data";
import { SecretsManager } from "@aws-sdk/client-secrets-manager";
import { startLocal, startRedshiftData, type Warehouse } from "@quarterturn/local";

/** In a real test this is a connection of your driver to a PostgreSQL or Redshift. */
const warehouse: Warehouse = {
  async connect({ username, password }) {
    if (password !== "right") throw new Error(`FATAL: password authentication failed for user "${username}"`);
    return {
      run: async () => ({ columns: [{ name: "who", typeName: "varchar" }], rows: [[username]], rowCount: 1 }),
      cancel: async () => undefined,
      close: async () => undefined,
    };
  },
};

await using local = await startLocal();
await using redshift = await startRedshiftData({ secretsManager: local.url, warehouse });

const client = { region: local.region, credentials: { accessKeyId: "any", secretAccessKey: "any" } };
const sm = new SecretsManager({ ...client, endpoint: local.url });
const data = new RedshiftData({ ...client, endpoint: redshift.url });

await sm.createSecret({ Name: "prod/warehouse", SecretString: '{"username":"app","password":"right"}' });
const where = { ClusterIdentifier: "warehouse", Database: "dev", SecretArn: "prod/warehouse" };
const { Id } = await data.executeStatement({ ...where, Sql: "SELECT current_user AS who", WaitTimeSeconds: 5 });
const { Records } = await data.getStatementResult({ Id });
process.stdout.write(`${Records?.[0]?.[0]?.stringValue}\n`);
