import type { RotationContext } from "@quarterturn/core";
import { expect, test } from "vitest";
import type { Engine, Pair, Session } from "./engine.ts";
import { multiUser } from "./multi-user.ts";
import type { DatabaseSettings } from "./settings.ts";

test("the pair is where the server says that the user is, and a password proves only what is there too", async () => {
  const homes: Record<string, string> = { app: "shop", app_clone: "admin" };
  const seen: { pair: Pair; isOurs: boolean }[] = [];
  const session = {
    alignTwin: async (pair: Pair, isOurs: () => Promise<boolean>) => {
      seen.push({ pair, isOurs: await isOurs() });
    },
    setPassword: async () => undefined,
    close: async () => undefined,
  } as unknown as Session;
  const engine = {
    manifest: { name: "example", engines: ["mongo"] },
    login: async () => session,
    probe: async ({ username }: { username: string }) => ({ userKeys: { authSource: homes[username] } }),
  } as unknown as Engine;
  const admin = { host: "h", port: 1, username: "boss", password: "p", engine: "mongo" };
  const context = {
    log: { info: () => undefined },
    readSecret: async () => JSON.stringify(admin),
    requirePending: async () => undefined,
  } as unknown as RotationContext;
  const current = { ...admin, username: "app", userKeys: {}, ssl: true, masterarn: "arn:admin" };
  const pending = { ...current, username: "app_clone" };
  const set = () =>
    multiUser(engine, {} as never, { allowedHosts: [] } as unknown as DatabaseSettings).set(
      { current, pending, previous: async () => pending },
      context,
    );
  await set();
  homes.app_clone = "shop";
  await set();
  const pair = { userKeys: { authSource: "shop" } };
  expect(seen).toMatchObject([
    { pair, isOurs: false },
    { pair, isOurs: true },
  ]);
});
