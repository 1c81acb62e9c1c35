import { coreSettings, type Environment, RotationError, secretsManagerClient } from "@quarterturn/core";
import { addressOf } from "@quarterturn/database";
import { isRefusedLogin } from "./data-api-error.ts";
import { type Failure, failedError, runStatements } from "./data-api-run.ts";
import { manifest } from "./manifest.ts";
import { placeOf } from "./place.ts";
import { createProbeSecret, removeAnyway } from "./probe-secret.ts";
import type { RedshiftData } from "./redshift-data-client.ts";
import { preamble } from "./sql.ts";
import type { Connection, Row, Statement, Transport } from "./transport.ts";

/**
 * The Redshift Data API: no driver and no route into the VPC. Each list of statements is a login of its own, with the credentials that the
 * AWSCURRENT of a secret has at that moment: the admin's own secret, or a probe secret for all other credentials.
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
      const place = placeOf(login.host, context.secretId);
      loading ??= import("./redshift-data-client.ts").then(({ redshiftDataClient }) => redshiftDataClient());
      const data = await loading;
      const database = login.dbname ?? manifest.dbname;
      const newProbe = () => createProbeSecret(secrets, login, place, context, where);
      let probe = login.secretArn === undefined ? await newProbe() : undefined;
      const close = async () => probe?.remove();

      async function attempt(
        statements: readonly Statement[],
        milliseconds: number,
      ): Promise<readonly (readonly Row[])[] | Failure> {
        const end = performance.now() + milliseconds;
        for (;;) {
          const target = { ...place, Database: database, SecretArn: login.secretArn ?? probe?.arn ?? "" };
          const remaining = Math.max(1, Math.ceil(end - performance.now()));
          try {
            const result = await runStatements(data, target, statements, remaining, where);
            if (probe === undefined || !("text" in result) || !isSecretGone(result.text)) return result;
          } catch (error) {
            const { cause } = error as { readonly cause?: unknown };
            if (probe === undefined || !isSecretGone(cause instanceof Error ? cause.message : "")) throw error;
          }
          // Another run took the probe's name at this moment, so nothing has run.
          probe = await newProbe();
        }
      }

      const runWith =
        (now: () => number): Connection["run"] =>
        async (statements) => {
          const { settings, batches } = batchesOf(statements);
          const results: (readonly Row[])[] = settings.map(() => []);
          for (const batch of batches) {
            const milliseconds = deadline.share();
            const whole = [
              timeLimit(milliseconds),
              ...settings,
              ...batch,
              notAfter(now() + milliseconds, batch.at(-1)?.doing ?? ""),
            ];
            const result = await attempt(whole, milliseconds);
            if ("text" in result) throw failedError(result, whole, where);
            results.push(...result.slice(-batch.length - 1, -1));
          }
          return results;
        };

      try {
        const asking = [...preamble, identity];
        const result = await attempt(asking, deadline.share());
        if (!("text" in result)) {
          const asked = performance.now();
          const { name: user, now: seconds } = result.at(-1)?.[0] ?? {};
          if (typeof user !== "string" || !(Number(seconds) > 0)) throw noIdentity(where);
          const now = () => Number(seconds) * 1_000 + performance.now() - asked;
          return { user, run: runWith(now), close };
        }
        if (!isRefusedLogin(result.text)) throw failedError(result, asking, where);
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
 * Where this process is killed, nobody cancels: what waits for a lock must end by itself.
 *
 * @see https://docs.aws.amazon.com/redshift/latest/dg/r_statement_timeout.html
 */
export const timeLimit = (milliseconds: number): Statement => ({
  sql: `SET LOCAL statement_timeout TO ${milliseconds}`,
  doing: "limiting the statements' time",
});

/**
 * The last statement of every transaction: it fails, and with it all of them, where nobody waits for them any more. Otherwise what the
 * service queued while the cluster woke up, or what has many statements, could change a password after a later rotation has gone on. It is the
 * server's clock that judges, as it was read at the login; a row would cost a call.
 *
 * @param time milliseconds since 1970 on the server's clock, which has whole seconds
 * @param doing what the transaction does
 * @see https://docs.aws.amazon.com/redshift/latest/dg/r_GETDATE.html
 * @see https://docs.aws.amazon.com/redshift/latest/dg/r_EXTRACT_function.html
 */
export const notAfter = (time: number, doing: string): Statement => ({
  sql: `SELECT 1 WHERE 1 / CASE WHEN EXTRACT(epoch FROM GETDATE()) <= ${Math.ceil(time / 1_000)} THEN 1 ELSE 0 END = 0`,
  doing,
});

export const identity: Statement = {
  sql: "SELECT current_user AS name, EXTRACT(epoch FROM GETDATE()) AS now",
  doing: "asking for the session's identity",
};

const noIdentity = (where: string) =>
  new RotationError(
    "database",
    `${where}: the server did not say whose session it is`,
    "This try changed nothing. The service tries the rotation again.",
  );

/** @see https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_BatchExecuteStatement.html */
const STATEMENTS_AT_ONCE = 40;

/** What fits into one transaction each, and the settings at the head, which every transaction needs. */
function batchesOf(statements: readonly Statement[]) {
  const head = statements.findIndex(({ sql }) => !sql.startsWith("SET LOCAL "));
  const settings = statements.slice(0, head);
  const rest = statements.slice(head);
  const size = STATEMENTS_AT_ONCE - settings.length - 2;
  const batches = Array.from({ length: Math.ceil(rest.length / size) }, (_, index) =>
    rest.slice(index * size, (index + 1) * size),
  );
  return { settings, batches };
}

/** The Data API did not find the secret that it was given. */
const isSecretGone = (text: string) => /can't find the specified secret|(marked|scheduled) for deletion/i.test(text);
