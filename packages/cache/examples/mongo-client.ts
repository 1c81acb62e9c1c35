import { connectWithSecret, type SecretCache } from "@quarterturn/cache";
import { MongoClient, type MongoClientOptions } from "mongodb";

interface DatabaseSecret {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
}

export interface SecretMongo extends AsyncDisposable {
  /**
   * Runs work with a client that is logged in with what the secret is now. Where a login is refused, the work is run once more from its
   * beginning, so keep it to one operation, or to what may be done twice.
   */
  run<Result>(work: (client: MongoClient) => Promise<Result>): Promise<Result>;
}

/** One client for each version of the secret, since a MongoClient keeps the login that it was made with. The old one ends after its last work. */
export function secretMongo(
  cache: SecretCache<DatabaseSecret>,
  secretId: string,
  options: MongoClientOptions = {},
): SecretMongo {
  let current: Client | undefined;

  function clientFor(secret: DatabaseSecret): Client {
    // The same version is the same object.
    if (current?.secret === secret) return current;
    const outdated = current;
    current = openClient(secret, options);
    void outdated?.retire();
    return current;
  }

  return {
    run: (work) => connectWithSecret((secret) => clientFor(secret).lend(work), { cache, secretId }),
    [Symbol.asyncDispose]: async () => current?.retire(),
  };
}

interface Client {
  readonly secret: DatabaseSecret;
  lend<Result>(work: (client: MongoClient) => Promise<Result>): Promise<Result>;
  /** Closes it when its last work is done. */
  retire(): Promise<void>;
}

function openClient(secret: DatabaseSecret, options: MongoClientOptions): Client {
  const { host, port, username, password } = secret;
  const client = new MongoClient(`mongodb://${host}:${port}/`, { ...options, auth: { username, password } });
  let borrowers = 0;
  let isRetired = false;
  const closeIfUnused = async () => {
    if (isRetired && borrowers === 0) await client.close().catch((error: Error) => process.emitWarning(error));
  };
  return {
    secret,
    async lend(work) {
      borrowers++;
      try {
        return await work(client);
      } finally {
        borrowers--;
        void closeIfUnused();
      }
    },
    retire() {
      isRetired = true;
      return closeIfUnused();
    },
  };
}
