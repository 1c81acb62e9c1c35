import { readFile } from "node:fs/promises";
import type { DatabaseServer } from "./database-server.ts";

/** A URL that names a running server, and what is expected of it. */
export interface ServerUrl {
  /** The environment variable that it comes from. */
  readonly variable: string;
  readonly url: string;
  readonly protocol: RegExp;
  /** Where the URL has none. */
  readonly port: number;
  /** The parameter that names the PEM file of the authority that signed the server's certificate. */
  readonly caParameter: string;
  /** What a URL looks like, and who its user must be. */
  readonly form: string;
  readonly user: string;
}

/** A server that a URL names. */
export interface ServerAtUrl extends Pick<DatabaseServer, "host" | "port" | "admin" | "ca"> {
  /** The URL's path; empty where it has none. */
  readonly database: string;
  /** The server as tests know it. Closing it ends the clients only. */
  withConnections<Connect>(
    version: string,
    connections: { readonly connect: Connect; end(): Promise<void> },
  ): DatabaseServer & { readonly connect: Connect };
}

/**
 * @param options what is asked for, of which such a server can have none but those of `possible`
 * @throws Error for another option, or where the URL lacks something
 */
export async function serverAtUrl(
  { variable, url: text, protocol, port, caParameter, form, user }: ServerUrl,
  options: object,
  possible: readonly string[] = [],
): Promise<ServerAtUrl> {
  for (const [option, value] of Object.entries(options)) {
    if (value !== undefined && !possible.includes(option)) {
      throw new Error(
        `A server with ${option} of its own is asked for, which the server of ${variable} cannot be given. ` +
          `Unset ${variable} to have one started.`,
      );
    }
  }
  const url = URL.parse(text);
  const caFile = url?.searchParams.get(caParameter);
  if (url === null || !protocol.test(url.protocol) || !url.hostname || !url.username || !url.password || !caFile) {
    throw new Error(
      `${variable} is not of the form ${form}. ` +
        `The user must ${user}, and FILE is the PEM of the authority that signed the server's certificate.`,
    );
  }
  const address = {
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: Number(url.port || port),
    admin: { username: decodeURIComponent(url.username), password: decodeURIComponent(url.password) },
    ca: await readFile(caFile, "utf8"),
  };
  return {
    ...address,
    database: decodeURIComponent(url.pathname.slice(1)),
    withConnections: (version, { connect, end }) => ({
      ...address,
      version,
      caFile,
      get logFile(): string {
        throw new Error(`The log of the server of ${variable} cannot be read. Unset ${variable} to have one started.`);
      },
      connect,
      close: end,
      [Symbol.asyncDispose]: end,
    }),
  };
}
