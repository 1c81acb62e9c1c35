import { rdsDirectory } from "@quarterturn/database";

/** What AWS knows of clusters: the RDS API has DocumentDB's among its own, under this name. */
export const documentdbDirectory = rdsDirectory(["docdb"]);
