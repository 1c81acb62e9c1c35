import type { Deadline } from "@quarterturn/core";
import type { Login } from "./engine.ts";

export type Server = Pick<Login, "host" | "port">;

/**
 * What AWS's own API knows of an engine's servers. Asked only where the secrets do not say it: an API's client is as large as everything
 * else together, so an implementation loads it when it is needed.
 */
export interface ServerDirectory {
  /** Whether a host name is one that AWS gave, so that the API can be asked about it. */
  knows(host: string): boolean;
  /**
   * The server that a managed admin secret is for: such a secret holds only a name and a password, and its tags name the database.
   *
   * @throws RotationError `bad-secret` where the tags name none, `wrong-target` for another engine, `privilege`, `timeout` or `service`
   */
  managedServer(secretArn: string, tags: Readonly<Record<string, string>>, deadline: Deadline): Promise<Server>;
  /** Whether one host is the other's database, a replica of it or an endpoint of it. @throws RotationError */
  isSameDatabase(host: string, adminHost: string, deadline: Deadline): Promise<boolean>;
}
