import { RedshiftData } from "@aws-sdk/client-redshift-data";
import { onTestFinished } from "vitest";
import {
  type FieldValue,
  type RedshiftDataEndpoint,
  startRedshiftData,
  type Warehouse,
  type WarehouseResult,
} from "../src/index.ts";
import { type Started, start } from "./endpoint.ts";

/** What a test's statement does: its rows, or nothing returned. */
export type Played = readonly (readonly FieldValue[])[] | undefined;

export interface PlayedWarehouse extends Warehouse {
  /** Everything that was sent, in order; `close` at the end of a session. */
  readonly sent: (readonly [sql: string, ...values: string[]])[];
  /** Who logged in. */
  readonly logins: object[];
}

/**
 * A warehouse with one user, app, whose statements do what `play` says; `hang` runs until it is cancelled. A play that throws is a failed
 * statement.
 */
export function playedWarehouse(play: (sql: string, values: readonly string[]) => Played = () => []): PlayedWarehouse {
  const sent: PlayedWarehouse["sent"] = [];
  const logins: object[] = [];
  return {
    sent,
    logins,
    async connect(login) {
      logins.push(login);
      if (login.username !== "app" || login.password !== "right") {
        throw new Error(`FATAL: password authentication failed for user "${login.username}"`);
      }
      const hanging = Promise.withResolvers<WarehouseResult>();
      return {
        async run(sql, values) {
          sent.push([sql, ...values]);
          if (sql === "hang") return hanging.promise;
          if (sql === "BEGIN" || sql === "COMMIT") return { rows: [], rowCount: 0 };
          const rows = play(sql, values);
          if (rows === undefined) return { rows: [], rowCount: 3 };
          const columns = (rows[0] ?? []).map((_value, index) => ({ name: `c${index + 1}`, typeName: "varchar" }));
          return { columns, rows, rowCount: rows.length };
        },
        async cancel() {
          hanging.reject(new Error("ERROR: Query (1) cancelled on user's request"));
        },
        async close() {
          sent.push(["close"]);
        },
      };
    },
  };
}

/** Both endpoints for one test, with clients, and the secret `app` whose password is right. */
export async function startBoth(
  warehouse: Warehouse,
  readsSecret: "at-submission" | "at-start" = "at-submission",
): Promise<Started & { readonly data: RedshiftDataEndpoint; readonly client: RedshiftData }> {
  const started = await start();
  const data = await startRedshiftData({ secretsManager: started.local.url, warehouse, readsSecret });
  const credentials = { accessKeyId: "local", secretAccessKey: "local" };
  const client = new RedshiftData({ endpoint: data.url, region: "us-east-1", credentials, maxAttempts: 1 });
  onTestFinished(async () => {
    client.destroy();
    await data.close();
  });
  await started.sm.createSecret({ Name: "app", SecretString: '{"username":"app","password":"right"}' });
  return { ...started, data, client };
}

/** Where and as whom the tests' statements run. */
export const AS_APP = { ClusterIdentifier: "one", Database: "dev", SecretArn: "app" };
