import { coreSettings, type Environment, secretsManagerClient } from "@quarterturn/core";
import { addressOf } from "@quarterturn/database";
import { isRefusedLogin } from "./data-api-error.ts";
import { type Failure, failedError, runStatements } from "./data-api-run.ts";
import { manifest } from "./manifest.ts";
import { placeOf } from "./place.ts";
import { createProbeSecret, removeAnyway } from "./probe-secret.ts";
import type { RedshiftData } from "./redshift-data-client.ts";
import type { Connection, Row, Statement, Transport } from "./transport.ts";

/**
 * The Redshift Data API: no driver and no route into the VPC. Each list of statements is a login of its own, with the credentials that the
 * AWSCURRENT of a secret has at that moment: the rotated or the admin secret's own, or a probe secret's for all other credentials.
 *
 * @see https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html
 * @throws RotationError `bad-setting`
 */
export function dataApi(env: Environment): Transport {
  let loading: Promise<RedshiftData> | undefined;
  const secrets = secretsManagerClient(coreSettings(env).endpoint);

  return {
    async connect(login, context) {
      const { deadline } = context;
      const where = `${addressOf(login)} (as "${login.username}")`;
      const place = placeOf(login.host);
      loading ??= import("./redshift-data-client.ts").then(({ redshiftDataClient }) => redshiftDataClient());
      const data = await loading;
      const database = login.dbname ?? manifest.dbname;
      const newProbe = () => createProbeSecret(secrets, login, place, context, where);
      let probe = login.secretArn === undefined ? await newProbe() : undefined;
      const close = async () => probe?.remove();

      async function attempt(statements: readonly Statement[]): Promise<readonly (readonly Row[])[] | Failure> {
        const end = performance.now() + deadline.share();
        for (;;) {
          const target = { ...place, Database: database, SecretArn: login.secretArn ?? probe?.arn ?? "" };
          try {
            return await runStatements(
              data,
              target,
              statements,
              Math.max(1, Math.ceil(end - performance.now())),
              where,
            );
          } catch (error) {
            if (probe === undefined || !isSecretGone(error)) throw error;
            // Another run took the probe's name at this moment, so nothing has run.
            probe = await newProbe();
          }
        }
      }

      const run: Connection["run"] = async (statements) => {
        const { settings, batches } = batchesOf(statements);
        const results: (readonly Row[])[] = settings.map(() => []);
        for (const batch of batches) {
          const whole = [timeLimit(deadline.share()), ...settings, ...batch];
          const result = await attempt(whole);
          if ("text" in result) throw failedError(result, whole, where);
          results.push(...result.slice(-batch.length));
        }
        return results;
      };

      try {
        const result = await attempt([identity]);
        if (!("text" in result)) return { user: String(result[0]?.[0]?.name), run, close };
        if (!isRefusedLogin(result.text)) throw failedError(result, [identity], where);
      } catch (error) {
        if (probe) await removeAnyway(probe, context.log);
        throw error;
      }
      await close();
      return "rejected";
    },
  };
}

/**
 * Where this process is killed, nobody cancels: what still waits for a lock must end by itself, and not change something when a later rotation
 * has gone on.
 *
 * @see https://docs.aws.amazon.com/redshift/latest/dg/r_statement_timeout.html
 */
const timeLimit = (milliseconds: number): Statement => ({
  sql: `SET LOCAL statement_timeout TO ${milliseconds}`,
  doing: "limiting the statements' time",
});

const identity: Statement = { sql: "SELECT current_user AS name", doing: "asking for the session's identity" };

/** @see https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_BatchExecuteStatement.html */
const STATEMENTS_AT_ONCE = 40;

/** What fits into one transaction each, and the settings at the head, which every transaction needs. */
function batchesOf(statements: readonly Statement[]) {
  const head = statements.findIndex(({ sql }) => !sql.startsWith("SET LOCAL "));
  const settings = statements.slice(0, head);
  const rest = statements.slice(head);
  const size = STATEMENTS_AT_ONCE - settings.length - 1;
  const batches = Array.from({ length: Math.ceil(rest.length / size) }, (_, index) =>
    rest.slice(index * size, (index + 1) * size),
  );
  return { settings, batches };
}

/** The Data API did not find the secret that it was given. */
function isSecretGone(error: unknown): boolean {
  const { cause } = error as { readonly cause?: unknown };
  return (
    cause instanceof Error && /can't find the specified secret|(marked|scheduled) for deletion/i.test(cause.message)
  );
}
