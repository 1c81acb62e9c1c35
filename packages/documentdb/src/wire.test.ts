import { connect, createServer } from "node:net";
import { expect, test } from "vitest";
import { wireOver } from "./wire.ts";

test("an answer that is longer than any that a rotation needs is not read", async () => {
  const server = createServer((client) => {
    client.once("data", () => {
      const header = Buffer.alloc(16);
      header.writeInt32LE(1_000_001, 0);
      header.writeInt32LE(1, 8);
      header.writeInt32LE(2013, 12);
      client.write(header);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const socket = connect(address.port, "127.0.0.1");
  await expect(wireOver(socket).command("admin", { isMaster: 1 })).rejects.toMatchObject({
    cause: { message: "its answer is 1000001 bytes long" },
  });
  expect(socket.destroyed).toBe(true);
  server.close();
});
