import type { CurrentAfterSet, Manifest, RotationContext, RotationError, UserPair } from "@quarterturn/core";
import type { TlsPolicy } from "./tls.ts";

/** Where and as whom to log in. */
export interface Login {
  readonly host: string;
  readonly port: number;
  readonly dbname?: string;
  readonly username: string;
  readonly password: string;
  /** The values of the manifest's `secretKeys` that the secret has, by name. */
  readonly userKeys: Readonly<Record<string, string>>;
  readonly tls: TlsPolicy;
  /**
   * The admin's secret, for an engine to which a secret's ARN is a login. No other login has one: whoever may write a secret can put another
   * user into it between two readings, so what is proved or changed must be the value that was read.
   */
  readonly secretArn?: string;
}

/** What an adapter may use: each connection and statement gets `deadline.share()`. */
export type EngineContext = RotationContext;

/** What a login proved; `userKeys` where the server says which of them its user has, whatever the secret says. */
type ProbeAnswer = "accepted" | "rejected" | Pick<Login, "userKeys">;

/**
 * One database product: the adapter that the strategies of this package are written over.
 *
 * Whatever fails is thrown as a RotationError with its own code: `unreachable`, `timeout`, `tls`, `privilege`, `unsupported`, `database`.
 * Only a refused name or password is an answer, `rejected`, since the strategies go on from there.
 */
export interface Engine {
  /** The one source of the default port and database, of the excluded characters and of the longest name. */
  readonly manifest: Manifest;
  /** Whether a password that the engine keeps valid beside a new one is discarded once AWSCURRENT has moved. */
  readonly discardsOldPassword?: boolean;
  /** Whether rights live in a database: the admin then logs in to the rotated secret's, not to the one of its own secret. */
  readonly hasRightsPerDatabase?: boolean;
  /**
   * Logs in to change something. The session must distrust what the database's users can configure, since they could otherwise run code
   * in it.
   */
  login(login: Login, context: EngineContext): Promise<Session | "rejected">;
  /**
   * Logs in as an application would, looks whether the session is that user's, and logs out. Changes nothing.
   * @param mustActAsOriginal whether a twin is refused (`unsupported`) that the server does not make act as its original although it was
   *   told to. Asked before multi-user promotes one: elsewhere it would keep a rotation from going on that has changed the password already.
   */
  probe(login: Login, context: EngineContext, mustActAsOriginal?: boolean): Promise<ProbeAnswer>;
}

/**
 * Whether the secret itself proves, by a password that logs in, that the pending user is its own.
 *
 * @param mayHave for an engine whose admin sees what is stored of passwords: false where the user has another one, so that no wrong login of
 *   ours counts against a user that may be somebody else's
 */
export type IsOurs = (mayHave?: (password: string) => boolean) => Promise<boolean>;

/** An authenticated connection. Every method is idempotent and may run in two sessions at the same time. */
export interface Session {
  /**
   * Gives the user of this session another password. Refuses (`wrong-target`) where the session is not that user's own.
   * @returns what the password of this session is worth now: an engine with two passwords for a user may keep it valid
   * @throws RotationError
   */
  changePassword(next: string): Promise<CurrentAfterSet>;
  /**
   * Ends what other passwords this session's user has, and never the one that the session logged in with. Absent where a user has one password.
   * @throws RotationError
   */
  discardOldPassword?(): Promise<void>;
  /**
   * Makes the twin whole: it exists, and can do what the original can. A twin that did not exist cannot log in afterwards; one that
   * exists, and may be in use, can all the time. An account that has the twin's name and is not the original's twin is refused
   * (`wrong-target`). Converges from every state that a killed run leaves.
   * @param isOurs for an engine whose accounts do not show whose twin they are
   * @param currentPassword AWSCURRENT's, for an engine in which a name is several accounts: those that have it are the secret's
   * @throws RotationError
   */
  alignTwin(pair: Pair, isOurs: IsOurs, currentPassword: string): Promise<void>;
  /**
   * Sets the password of one of a pair, which may log in from now on. An account that is not of the pair is refused (`wrong-target`).
   * @throws RotationError
   */
  setPassword(pair: Pair, password: string, isOurs: IsOurs): Promise<void>;
  /**
   * An admin's: gives a user the password that a secret says it has, where the two have come apart. For a person who has seen which user it is;
   * no step of a rotation does this. A user that the server does not have, or a name that is several accounts, is refused (`wrong-target`).
   * @throws RotationError
   */
  restorePassword(user: Pick<Login, "username" | "userKeys">, password: string): Promise<void>;
  /**
   * An admin's: how a pair stands, for a person who asks before a rotation does. Changes nothing.
   * @throws RotationError where even the reading fails
   */
  inspectPair(pair: Pair): Promise<PairState>;
  /**
   * Looks whether the server takes changes, as `changePassword` would see it. Absent where `login` does.
   * @throws RotationError `unsupported` where it does not: a replica, a reader
   */
  requireWriter?(): Promise<void>;
  /**
   * After a leak: ends every password of this session's user but the one that the session logged in with, also where another is the newer
   * one. For a person who has seen that no rotation is unfinished, since its pending password would end with the others; no step of a
   * rotation does this. Absent where the server keeps one password for a user.
   * @throws RotationError
   */
  discardOtherPasswords?(): Promise<void>;
  close(): Promise<void>;
}

/** What stands against a rotation, and what helps. */
export type Obstacle = Pick<RotationError, "what" | "advice">;

/** How the two users of the multi-user strategy stand. */
export interface PairState {
  /** Whether the session's user may make the twin and set passwords, or what it lacks; `unproven` where only a try would show it. */
  readonly admin: "able" | "unproven" | Obstacle;
  /** `unproven` where a user has the twin's name, and only AWSPREVIOUS's password would prove that it is the secret's. */
  readonly twin: "none" | "known" | "unproven";
  /** Why the twin cannot be rotated. */
  readonly twinFault?: Obstacle;
  /** What a rotation only warns of: something of the twin's that the application would be without at every other rotation. */
  readonly twinHint?: Obstacle;
  /** What the twin owns, or is the definer of, as far as the session's user sees it, e.g. `3 objects` or "view `shop`.`orders`". */
  readonly twinDefines: readonly string[];
}

/** The two users of the multi-user strategy, and which of them is meant. */
export interface Pair extends UserPair {
  /** The `userKeys` that both have: the secret's, or what the server says instead. */
  readonly userKeys: Login["userKeys"];
}
