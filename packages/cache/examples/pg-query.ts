import { createSecretCache } from "@quarterturn/cache";
import { databaseSecret } from "./database-secret.ts";
import { SecretPool } from "./pg-pool.ts";

const cache = createSecretCache({ schema: databaseSecret });
const pool = new SecretPool(cache, "prod/shop/db", { max: 10 });
pool.on("error", (error) => process.emitWarning(error));
const { rows } = await pool.query("SELECT current_database() AS name");
process.stdout.write(`Logged in to ${rows[0].name}\n`);
await pool.end();
