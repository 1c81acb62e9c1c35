import { connect, createServer, type Socket } from "node:net";
import { deadlineOf } from "@quarterturn/core";
import { expect, test } from "vitest";
import { contextOf, single, startFixture, startTimeout, successor } from "./fixture.ts";

/** A proxy that, once frozen, takes everything and gives nothing. */
async function freezable(port: number) {
  let isFrozen = false;
  const sockets: Socket[] = [];
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const upstream = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    sockets.push(client, upstream);
    client.on("data", (bytes) => isFrozen || upstream.write(bytes));
    upstream.on("data", (bytes) => {
      if (isFrozen) return;
      client.write(bytes);
      onAnswer();
    });
    client.on("end", () => isFrozen || upstream.end());
    upstream.on("end", () => isFrozen || client.end());
    for (const socket of [client, upstream]) socket.on("error", () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  let answers = 0;
  let freezeAfter = Number.POSITIVE_INFINITY;
  const onAnswer = () => {
    isFrozen = ++answers >= freezeAfter;
  };
  return {
    port: address.port,
    freezeAfter(count: number) {
      answers = 0;
      isFrozen = false;
      freezeAfter = count;
    },
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

test("a server that freezes at any moment of setSecret is reported before the deadline, or the step is done (promise 5)", {
  timeout: startTimeout,
}, async () => {
  await using fixture = await startFixture();
  const proxy = await freezable(fixture.server.port);
  const through = { ...(await fixture.createUser()), port: proxy.port };
  let current = through;
  const rotate = async () => {
    const pending = await successor(current);
    const end = Date.now() + 2_000;
    const context = { ...contextOf(fixture), deadline: deadlineOf(() => end - Date.now()) };
    const started = Date.now();
    const outcome = await single()
      .set({ current, pending, previous: async () => undefined }, context)
      .then(
        () => "done",
        (error: { code: string }) => error.code,
      );
    expect(Date.now() - started).toBeLessThan(2_000);
    proxy.freezeAfter(Number.POSITIVE_INFINITY);
    // A retry with the same pending value converges, whatever the first try had done.
    await single().set({ current, pending, previous: async () => undefined }, contextOf(fixture));
    current = pending;
    return outcome;
  };
  expect(await rotate()).toBe("done");
  const outcomes: string[] = [];
  for (let moment = 1; moment <= 14; moment++) {
    proxy.freezeAfter(moment);
    outcomes.push(await rotate());
  }
  proxy.close();
  expect(outcomes).toContain("timeout");
  expect(new Set(outcomes)).toEqual(new Set(["timeout", "done"]));
});
