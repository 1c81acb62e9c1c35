import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { SecretsManager } from "@aws-sdk/client-secrets-manager";
import { createSecretCache } from "@quarterturn/cache";
import { startLocal } from "@quarterturn/local";
import * as v from "valibot";
import { afterAll, beforeAll, expect, it } from "vitest";

const opened = new AsyncDisposableStack();
let url: string;
let service: SecretsManager;
beforeAll(async () => {
  ({ url } = opened.use(await startLocal()));
  service = opened.adopt(new SecretsManager({ endpoint: url }), (client) => client.destroy());
});
afterAll(() => opened.disposeAsync());

it("the README's first example runs with the environment alone, and ends when it is done", async () => {
  await service.createSecret({ Name: "prod/shop/db", SecretString: '{"username":"shop","password":"hunter2"}' });
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--conditions=@quarterturn/source", join(import.meta.dirname, "../examples/get.ts")],
    { env: { ...process.env, AWS_ENDPOINT_URL_SECRETS_MANAGER: url }, timeout: 20_000 },
  );
  expect(stdout).toBe("shop has a password of 7 characters\n");
});

it("a binary secret, and versions by their labels", async () => {
  await service.createSecret({ Name: "bytes", SecretBinary: Uint8Array.of(1) });
  await service.putSecretValue({ SecretId: "bytes", SecretBinary: Uint8Array.of(2) });
  const cache = createSecretCache({ client: service, schema: v.instance(Uint8Array), format: "binary" });
  expect(await cache.get("bytes")).toEqual(Uint8Array.of(2));
  expect(await cache.get("bytes", { versionStage: "AWSPREVIOUS" })).toEqual(Uint8Array.of(1));
});

it("a new version is seen by refreshNow", async () => {
  await service.createSecret({ Name: "text", SecretString: "first" });
  const cache = createSecretCache({ client: service, schema: v.string(), format: "text" });
  const refused = await cache.get("text");
  await service.putSecretValue({ SecretId: "text", SecretString: "second" });
  expect(await cache.get("text")).toBe("first");
  expect(await cache.refreshNow("text", { refused })).toBe("second");
  expect(await cache.get("text")).toBe("second");
});

it("the service's errors say which secret, what, and what to do", async () => {
  const cache = createSecretCache({ client: service, schema: v.string() });
  await expect(cache.get("nobody")).rejects.toThrow(
    "nobody (AWSCURRENT): GetSecretValue failed: ResourceNotFoundException: Secrets Manager can't find the specified secret. Look at its name, the staging label, the region and the account [service]",
  );
});

it("a service that cannot be reached is an error too", async () => {
  const client = new SecretsManager({ endpoint: "http://127.0.0.1:1", maxAttempts: 1 });
  const cache = createSecretCache({ client, schema: v.string() });
  await expect(cache.get("text")).rejects.toThrow(/^text \(AWSCURRENT\): GetSecretValue failed: .*ECONNREFUSED/);
});
