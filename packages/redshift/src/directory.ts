import type { ServerDirectory } from "@quarterturn/database";

/**
 * What the APIs of Redshift and Redshift Serverless know. Other names of a cluster's or workgroup's host (a custom domain, a managed VPC
 * endpoint) are not asked for: an operator lists them in ALLOWED_HOSTS.
 */
export const redshiftDirectory: ServerDirectory = {
  knows: () => false,
  managedServer: async (secretArn, tags, deadline) =>
    (await import("./redshift.ts")).managedServer(secretArn, tags, deadline),
  isSameDatabase: async () => false,
};
