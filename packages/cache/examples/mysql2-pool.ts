import { connectWithSecret, type SecretCache } from "@quarterturn/cache";
import type { ConnectionOptions, PoolConnection, PoolOptions } from "mysql2";
import { createPool, type Pool } from "mysql2/promise";
import type { DatabaseSecret } from "./database-secret.ts";

/**
 * A mysql2 pool whose new connections log in with what the secret is now, user name included. Those that are open stay as they are. TLS is
 * verified unless the secret's `ssl` is false; `options.ssl` adds to it, e.g. `{ ca }`. An `options.database` goes before the secret's `dbname`.
 */
export function createSecretPool(
  cache: SecretCache<DatabaseSecret>,
  secretId: string,
  { database: wanted, ssl: tls, ...options }: PoolOptions = {},
): Pool {
  if (typeof tls === "string") throw new Error("Name the authorities themselves: ssl: { ca }.");
  // Without the second mysql2 takes any host's certificate.
  const verified = { rejectUnauthorized: true, verifyIdentity: true, ...tls };
  const pool = createPool(options);
  const core = pool.pool;
  // Of this the pool makes a copy for each new connection. It is not in mysql2's types.
  const { connectionConfig } = core.config as { readonly connectionConfig?: ConnectionOptions };
  if (!connectionConfig) throw new Error("This version of mysql2 keeps the settings of its connections elsewhere.");
  const getConnection = core.getConnection.bind(core);

  const connect = ({ host, port = 3306, username: user, password, dbname, ssl }: DatabaseSecret) => {
    const database = wanted || dbname || undefined;
    Object.assign(connectionConfig, { host, port, user, password, database, ssl: ssl && verified });
    return new Promise<PoolConnection>((resolve, reject) =>
      getConnection((error, connection) => (error ? reject(error) : resolve(connection))),
    );
  };
  // `query` and `execute` ask this for their connections too.
  core.getConnection = (callback) => {
    connectWithSecret(connect, { cache, secretId }).then(
      (connection) => callback(null, connection),
      (error) => callback(error, undefined as never),
    );
  };
  return pool;
}
