import type { Permission } from "@quarterturn/core";
import type { ServerDirectory } from "./server-directory.ts";

/**
 * What the RDS API knows of instances and clusters. DocumentDB's are among them.
 *
 * @param engines the engine's names in that API
 */
export function rdsDirectory(engines: readonly string[]): ServerDirectory {
  return {
    knows: (host) =>
      /^[a-z0-9-]+\.(cluster-(ro-)?)?[a-z0-9]+\.[a-z0-9-]+\.(rds|docdb)\.amazonaws\.com(\.cn)?$/i.test(host),
    managedServer: async (secretArn, tags, deadline) =>
      (await import("./rds.ts")).managedServer(secretArn, tags, engines, deadline),
    isSameDatabase: async (host, adminHost, deadline) =>
      (await import("./rds.ts")).isSameDatabase(host, adminHost, deadline),
  };
}

/** What rdsDirectory calls. */
export const rdsPermissions: readonly Permission[] = [
  {
    service: "rds",
    operations: ["DescribeDBClusters", "DescribeDBInstances"],
    resources: ["rds:cluster:*", "rds:db:*"],
    why: "Admin secrets that RDS manages, and hosts that are replicas or endpoints of the admin's.",
    strategy: "multi-user",
  },
];
