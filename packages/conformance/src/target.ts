/** The two ways to rotate: the user changes its own password, or two users take turns. */
export type Strategy = "single-user" | "multi-user";

/** The object that a secret's JSON text holds. */
export type SecretObject = Readonly<Record<string, unknown>>;

export interface Address {
  /** A name or address of loopback, and the one that the server's certificate is for. */
  readonly host: string;
  readonly port: number;
}

/**
 * What an application would see that logs in with a secret now:
 * - `accepted`: it is in, and can do what the account may do
 * - `powerless`: it is in, and lacks a right that the account has (a half-made twin)
 * - `refused`: name or password are not accepted
 */
export type LoginResult = "accepted" | "powerless" | "refused";

/** What an account is to be like; what is absent is the target's choice. */
export interface AccountWish {
  readonly name?: string;
  readonly password?: string;
  /** Where the secret says that the server is: a proxy of the suite. */
  readonly at: Address;
}

/** A new account that can log in. */
export interface Account {
  readonly secret: SecretObject;
  /** multi-user: the admin's secret. The suite stores it and puts its ARN under `masterarn`. */
  readonly adminSecret?: SecretObject;
}

/** Faults that only the target itself can play; those of the network (closed, silent, resets) the suite plays by its proxy. */
export const tlsFaults = ["speaks-no-tls", "expired-certificate", "foreign-certificate", "other-host-name"] as const;
export type TlsFault = (typeof tlsFaults)[number];

/** A server with a fault, on loopback. */
export interface FaultyServer {
  readonly at: Address;
  close(): Promise<void>;
}

/** The real system that the secrets are for. One is started for a whole suite; every case makes accounts of its own. */
export interface Target extends AsyncDisposable {
  /** What secrets say, but for the port, which is that of the suite's proxy. */
  readonly address: Address;
  /** Where the proxy passes bytes on to, if that is not `address`: an API that the rotator calls instead of the server. */
  readonly reachedAt?: Address;
  /** PEM file of the certificate authority that the rotator must trust (NODE_EXTRA_CA_CERTS). */
  readonly caFile?: string;
  /** Names and passwords that the system allows and that careless code takes for syntax. */
  readonly hostile: {
    readonly names: readonly [string, ...string[]];
    readonly passwords: readonly [string, ...string[]];
  };
  /** How to start a server with each fault; where there cannot be one, why. What is not judged is printed with its reason. */
  readonly tlsFaults: Readonly<Record<TlsFault, (() => Promise<FaultyServer>) | string>> | string;
  createAccount(wish: AccountWish): Promise<Account>;
  /**
   * Takes an account away, and what rotations made beside it, when nobody uses it any more. Absent: all stay until the target's end. For a system
   * that is slower with every account, or that outlives the suite.
   */
  removeAccount?(account: Account): Promise<void>;
  /**
   * Logs in afresh, as an application would, and not through the suite's proxy: at `address`, whatever host and port the secret has.
   * @throws for whatever is not an answer about the credentials
   */
  login(secret: SecretObject): Promise<LoginResult>;
  /**
   * The server's own log, which holds every statement if the server can: no secret value may be in it either. What the target itself did must
   * not be in it. Absent: not judged.
   */
  serverLog?(): Promise<string>;
  /**
   * Issued credentials only: how many of those that rotations of this account obtained are valid now. Killed and repeated tries must not
   * leave any over.
   */
  issuedTo?(secret: SecretObject): Promise<number>;
  /** What rotations of a secret made for the time of a step only, and what is there now: nothing, when a rotation has ended. */
  leftovers?(secretId: string): Promise<readonly string[]>;
}
