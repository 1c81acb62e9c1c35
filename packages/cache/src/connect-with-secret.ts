import { SecretCacheError } from "./errors.ts";
import { isSameValue } from "./plain-data.ts";
import { isRefusedLogin } from "./refused-login.ts";
import type { GetOptions, SecretCache } from "./secret-cache.ts";

export interface ConnectOptions<Value> extends GetOptions {
  readonly cache: SecretCache<Value>;
  readonly secretId: string;
  /** Whether what `connect` threw means that the login was refused. Default: {@link isRefusedLogin}, for pg, mysql2 and mongodb. */
  readonly isRefused?: (error: unknown) => boolean;
}

/**
 * Connects with a secret; where the login is refused, and Secrets Manager has another value by now, once more with that.
 *
 * @param connect is called once or twice; what it opened before it threw is its own to close
 * @throws what `connect` threw; an AggregateError of that and a SecretCacheError where the login was refused and Secrets Manager could not be
 * asked; a SecretCacheError where there is no secret to begin with
 */
export async function connectWithSecret<Value, Connection>(
  connect: (secret: Value) => Promise<Connection>,
  { cache, secretId, isRefused = isRefusedLogin, ...options }: ConnectOptions<Value>,
): Promise<Connection> {
  const secret = await cache.get(secretId, options);
  try {
    return await connect(secret);
  } catch (error) {
    if (!isRefused(error)) throw error;
    const newer = await cache.refreshNow(secretId, { ...options, refused: secret }).catch((failure: unknown) => {
      if (!(failure instanceof SecretCacheError)) throw failure;
      const what = `The login with ${secretId} was refused, and what is current could not be read: ${failure.message}`;
      throw new AggregateError([error, failure], what);
    });
    if (isSameValue(newer, secret)) throw error;
    return connect(newer);
  }
}
