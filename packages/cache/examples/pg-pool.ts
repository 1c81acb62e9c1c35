import { connectWithSecret, type SecretCache } from "@quarterturn/cache";
import { Pool, type PoolClient, type PoolConfig } from "pg";

interface DatabaseSecret {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
}

type Connected = (
  error: Error | undefined,
  client: PoolClient | undefined,
  done: (release?: boolean | Error) => void,
) => void;

/** A pg Pool whose new connections log in with what the secret is now, user name included. Those that are open stay as they are. */
export class SecretPool extends Pool {
  readonly #source: { readonly cache: SecretCache<DatabaseSecret>; readonly secretId: string };

  constructor(cache: SecretCache<DatabaseSecret>, secretId: string, config: PoolConfig = {}) {
    // A pool that was made with a password, even none, hides it from those who print the pool.
    super({ ...config, password: undefined });
    this.#source = { cache, secretId };
  }

  /** `query` asks this for its connection too. */
  override connect(): Promise<PoolClient>;
  override connect(callback: Connected): void;
  override connect(callback?: Connected): Promise<PoolClient> | undefined {
    const connected = connectWithSecret(({ host, port, username: user, password }) => {
      // The pool gives its options to each client that it makes.
      Object.assign(this.options, { host, port, user, password });
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
