/** What tests know of every server. */
export interface DatabaseServer extends AsyncDisposable {
  /** What the server says, for example "18.4". */
  readonly version: string;
  readonly host: string;
  readonly port: number;
  /** A user with all rights, from everywhere; of MongoDB, of the database `admin`. */
  readonly admin: { readonly username: string; readonly password: string };
  /** PEM file of the authority that signed the server's certificate, for NODE_EXTRA_CA_CERTS. */
  readonly caFile: string;
  /** The content of `caFile`. */
  readonly ca: string;
  /** The server's log, of MySQL with the general log where that is on. Throws for a server that was named by a URL. */
  readonly logFile: string;
  /** Stops the server at once, its clients' connections included, and removes its files. Idempotent. */
  close(): Promise<void>;
}
