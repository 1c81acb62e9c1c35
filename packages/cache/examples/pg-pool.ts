import { connectWithSecret, type SecretCache } from "@quarterturn/cache";
import { Pool, type PoolClient, type PoolConfig } from "pg";
import type { DatabaseSecret } from "./database-secret.ts";

type Connected = (
  error: Error | undefined,
  client: PoolClient | undefined,
  done: (release?: boolean | Error) => void,
) => void;

/**
 * A pg Pool whose new connections log in with what the secret is now, user name included. Those that are open stay as they are. TLS is
 * verified unless the secret's `ssl` is false; `config.ssl` adds to it, e.g. `{ ca }`. A `config.database` goes before the secret's `dbname`.
 */
export class SecretPool extends Pool {
  readonly #source: { readonly cache: SecretCache<DatabaseSecret>; readonly secretId: string };
  readonly #config: PoolConfig;

  constructor(cache: SecretCache<DatabaseSecret>, secretId: string, config: PoolConfig = {}) {
    // A pool that was made with a password, even none, hides it from those who print the pool.
    super({ ...config, password: undefined });
    this.#source = { cache, secretId };
    this.#config = config;
  }

  /** `query` asks this for its connection too. */
  override connect(): Promise<PoolClient>;
  override connect(callback: Connected): void;
  override connect(callback?: Connected): Promise<PoolClient> | undefined {
    const { database: wanted, ssl: tls } = this.#config;
    const connected = connectWithSecret(({ host, port = 5432, username: user, password, dbname, ssl }) => {
      // Without one pg takes the user's name, which alternates; this is what the rotation functions take.
      const database = wanted || dbname || "postgres";
      // The pool gives its options to each client that it makes.
      Object.assign(this.options, { host, port, user, password, database, ssl: ssl && (tls || true) });
      return super.connect();
    }, this.#source);
    if (!callback) return connected;
    connected.then(
      (client) => callback(undefined, client, client.release),
      (error) => callback(error, undefined, () => undefined),
    );
    return undefined;
  }
}
