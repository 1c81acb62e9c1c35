import { createSecretCache } from "@quarterturn/cache";
import * as v from "valibot";

const cache = createSecretCache({ schema: v.object({ username: v.string(), password: v.string() }) });
const { username, password } = await cache.get("prod/shop/db");
process.stdout.write(`${username} has a password of ${password.length} characters\n`);
