import type { ServerDirectory } from "@quarterturn/database";

/** What the APIs of Redshift and Redshift Serverless know: a cluster or workgroup has one host, so two hosts are never the same database. */
export const redshiftDirectory: ServerDirectory = {
  knows: () => false,
  managedServer: async (secretArn, tags, deadline) =>
    (await import("./redshift.ts")).managedServer(secretArn, tags, deadline),
  isSameDatabase: async () => false,
};
