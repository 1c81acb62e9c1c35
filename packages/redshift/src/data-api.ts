import { coreSettings, type Environment, RotationError, reasonOf, secretsManagerClient } from "@quarterturn/core";
import { whereOf } from "@quarterturn/database";
import { isRefusedLogin } from "./data-api-error.ts";
import { type Failure, failedError, runStatements } from "./data-api-run.ts";
import { manifest } from "./manifest.ts";
import { placeOf } from "./place.ts";
import { createProbeSecret, probeName, removeAnyway } from "./probe-secret.ts";
import type { RedshiftData } from "./redshift-data-client.ts";
import { preamble } from "./sql.ts";
import type { Connection, Row, Statement, Transport } from "./transport.ts";

/**
 * The Redshift Data API: no driver and no route into the VPC. Each list of statements is a login of its own, with the credentials that the
 * AWSCURRENT of a secret has at that moment: the admin secret's own, or a probe secret's for all other credentials.
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
      const where = whereOf(login);
      loading ??= import("./redshift-data-client.ts").then(({ redshiftDataClient }) => redshiftDataClient());
      const data = await loading;
      const place = placeOf(login.host, await data.region(), context.secretId);
      const database = login.dbname ?? manifest.dbname;
      const name = probeName(context.secretId, env.AWS_LAMBDA_FUNCTION_NAME);
      const newProbe = () => createProbeSecret(secrets, name, login, place, context, where);
      let probe = login.secretArn === undefined ? await newProbe() : undefined;
      const close = async () => probe?.remove();

      /** @param end by performance.now() */
      async function attempt(
        statements: readonly Statement[],
        end: number,
      ): Promise<readonly (readonly Row[])[] | Failure> {
        for (;;) {
          const target = { ...place, Database: database, SecretArn: login.secretArn ?? probe?.arn ?? "" };
          const time = Math.max(1, Math.ceil(end - performance.now()));
          const result = await runStatements(data, target, statements, time, where).catch((error: Error) => error);
          const failure = result instanceof Error ? reasonOf(result.cause) : "text" in result ? result.text : "";
          if (probe === undefined || !isSecretGone(failure)) {
            if (result instanceof Error) throw result;
            return result;
          }
          // Another run took the probe's name at this moment; without the secret nothing has run.
          probe = await newProbe();
        }
      }

      const begun = performance.now();
      /** What the server's clock showed at `begun` or a little later, in seconds since 1970. */
      let serverTime = 0;

      const run: Connection["run"] = async (statements) => {
        const { settings, batches } = batchesOf(statements);
        const results: (readonly Row[])[] = settings.map(() => []);
        for (const batch of batches) {
          const milliseconds = deadline.share();
          const end = performance.now() + milliseconds;
          const fence = notAfter(serverTime + (end - begun) / 1_000, batch.at(-1)?.doing ?? "");
          const whole = [timeLimit(milliseconds), ...settings, ...batch, fence];
          const result = await attempt(whole, end);
          if ("text" in result) throw failedError(result, whole, where);
          results.push(...result.slice(-batch.length - 1, -1));
        }
        return results;
      };

      try {
        const asking = [...preamble, identity];
        const result = await attempt(asking, begun + deadline.share());
        if (!("text" in result)) {
          const { name: user, seconds } = result.at(-1)?.[0] ?? {};
          serverTime = Number(seconds);
          if (typeof user !== "string" || !Number.isSafeInteger(serverTime)) throw noIdentity(where);
          return { user, run, close };
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
 * Where this process is killed, nobody cancels: what waits for a lock must end by itself, and not change something when a later rotation
 * has gone on. It counts for each statement, from where that starts; `notAfter` is for the whole.
 *
 * @see https://docs.aws.amazon.com/redshift/latest/dg/r_statement_timeout.html
 */
export const timeLimit = (milliseconds: number): Statement => ({
  sql: `SET LOCAL statement_timeout TO ${milliseconds}`,
  doing: "limiting the statements' time",
});

/**
 * The last statement of a transaction: it fails, and all of them with it, where they end after the time of who submitted them. The service may
 * start them late, from a queue or when a cluster has woken up. The server's own clock judges, which shows whole seconds.
 *
 * @param time seconds since 1970, by the server's clock
 * @param doing what the transaction does
 * @see https://docs.aws.amazon.com/redshift/latest/dg/r_GETDATE.html
 */
export const notAfter = (time: number, doing: string): Statement => ({
  sql: `SELECT 1 WHERE 1 / CASE WHEN EXTRACT(EPOCH FROM GETDATE()) <= ${Math.ceil(time)} THEN 1 ELSE 0 END = 0`,
  doing,
});

export const identity: Statement = {
  sql: "SELECT current_user AS name, EXTRACT(EPOCH FROM GETDATE())::bigint AS seconds",
  doing: "asking for the session's identity",
};

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

/** The Data API did not find the secret that it was given: it may say so to the submission, or of the statement. */
const isSecretGone = (text: string) => /can't find the specified secret|(marked|scheduled) for deletion/i.test(text);

function noIdentity(where: string): RotationError {
  return new RotationError(
    "database",
    `${where}: the server did not say whose session it is`,
    "This login changed nothing. The service tries the rotation again.",
  );
}
