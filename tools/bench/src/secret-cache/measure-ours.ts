/** What a get of @quarterturn/cache costs, measured as measure_python.py measures AWS's cache. Prints one line of JSON. */
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { createSecretCache } from "@quarterturn/cache";
import * as v from "valibot";
import type { CacheFigures } from "./measure.ts";

const [endpoint = "", namesJson = "[]", gets = "0"] = process.argv.slice(2);
const names: readonly string[] = JSON.parse(namesJson);
const count = Number(gets);

const cache = createSecretCache({
  client: new SecretsManagerClient({
    endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "bench", secretAccessKey: "bench" },
  }),
  schema: v.object({ host: v.string(), port: v.number(), username: v.string(), password: v.string() }),
});
const name = (i: number) => names[i % names.length] ?? "";

async function nanosecondsEach(get: (i: number) => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  for (let i = 0; i < count; i++) await get(i);
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1_000) / count;
}

const started = performance.now();
for (const each of names) await cache.get(each);
const first = ((performance.now() - started) / names.length) * 1_000_000;
// The second time is the one that counts.
await nanosecondsEach(() => cache.get(name(0)));
const one = await nanosecondsEach(() => cache.get(name(0)));
const figures: CacheFigures = { first, one, parsed: one, many: await nanosecondsEach((i) => cache.get(name(i))) };
process.stdout.write(JSON.stringify(figures));
