import { connectWithSecret, type SecretCache } from "@quarterturn/cache";
import type { ConnectionOptions, PoolConnection, PoolOptions } from "mysql2";
import { createPool, type Pool } from "mysql2/promise";

interface DatabaseSecret {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
}

/** A mysql2 pool whose new connections log in with what the secret is now, user name included. Those that are open stay as they are. */
export function createSecretPool(
  cache: SecretCache<DatabaseSecret>,
  secretId: string,
  options: PoolOptions = {},
): Pool {
  const pool = createPool(options);
  const core = pool.pool;
  // Of this the pool makes a copy for each new connection. It is not in mysql2's types.
  const { connectionConfig } = core.config as { readonly connectionConfig?: ConnectionOptions };
  if (!connectionConfig) throw new Error("This version of mysql2 keeps the settings of its connections elsewhere.");
  const getConnection = core.getConnection.bind(core);

  const connect = ({ host, port, username: user, password }: DatabaseSecret) => {
    Object.assign(connectionConfig, { host, port, user, password });
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
