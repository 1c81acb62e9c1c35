import { connectWithSecret, type SecretCache } from "@quarterturn/cache";
import { MongoClient, type MongoClientOptions } from "mongodb";

interface DatabaseSecret {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
}

/** Disposing of it waits for the work that is under way. */
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
  const open = new Set<Client>();

  function clientFor(secret: DatabaseSecret): Client {
    // The same version is the same object.
    if (current?.secret === secret) return current;
    current?.retire();
    const client = openClient(secret, options);
    open.add(client);
    void client.closed.then(() => open.delete(client));
    current = client;
    return client;
  }

  return {
    run: (work) => connectWithSecret((secret) => clientFor(secret).lend(work), { cache, secretId }),
    async [Symbol.asyncDispose]() {
      current?.retire();
      await Promise.all([...open].map(({ closed }) => closed));
    },
  };
}

interface Client {
  readonly secret: DatabaseSecret;
  lend<Result>(work: (client: MongoClient) => Promise<Result>): Promise<Result>;
  /** Closes it when its last work is done. */
  retire(): void;
  readonly closed: Promise<void>;
}

function openClient(secret: DatabaseSecret, options: MongoClientOptions): Client {
  const { host, port, username, password } = secret;
  const client = new MongoClient(`mongodb://${host}:${port}/`, { ...options, auth: { username, password } });
  let borrowers = 0;
  let isRetired = false;
  const { promise: closed, resolve: close } = Promise.withResolvers<void>();
  const closeIfUnused = () => {
    if (isRetired && borrowers === 0) close(client.close().catch((error: Error) => process.emitWarning(error)));
  };
  return {
    secret,
    closed,
    async lend(work) {
      borrowers++;
      try {
        return await work(client);
      } finally {
        borrowers--;
        closeIfUnused();
      }
    },
    retire() {
      isRetired = true;
      closeIfUnused();
    },
  };
}
