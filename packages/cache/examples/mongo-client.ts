import { connectWithSecret, type SecretCache } from "@quarterturn/cache";
import { MongoClient, type MongoClientOptions } from "mongodb";
import type { DatabaseSecret } from "./database-secret.ts";

/** Disposing of it waits for the work that is under way. */
export interface SecretMongo extends AsyncDisposable {
  /**
   * Runs work with a client that is logged in with what the secret is now. Where a login is refused, the work is run once more from its
   * beginning, so keep it to one operation, or to what may be done twice.
   */
  run<Result>(work: (client: MongoClient) => Promise<Result>): Promise<Result>;
}

/**
 * One client for each version of the secret, since a MongoClient keeps the login that it was made with. The old one ends after its last work.
 * TLS is verified unless the secret's `ssl` is false; `options` may add to it, e.g. `{ ca }`. `client.db()` is the secret's `dbname`.
 */
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
  const { host, port = 27_017, username, password, ssl } = secret;
  // As the rotation functions do.
  const authSource = secret.authSource || secret.dbname || "admin";
  const client = new MongoClient(`mongodb://${host}:${port}/${encodeURIComponent(secret.dbname ?? "")}`, {
    authSource,
    ...options,
    tls: ssl,
    auth: { username, password },
  });
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
