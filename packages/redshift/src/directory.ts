import type { ServerDirectory } from "@quarterturn/database";

/** What the APIs of Redshift and Redshift Serverless are asked for. Whether two hosts are one database (VPC endpoints, custom names) they are not: ALLOWED_HOSTS says it. */
export const redshiftDirectory: ServerDirectory = {
  knows: () => false,
  managedServer: async (secretArn, tags, deadline) =>
    (await import("./redshift.ts")).managedServer(secretArn, tags, deadline),
  isSameDatabase: async () => false,
};
