import { once } from "node:events";
import { connect } from "node:net";
import { expect, test } from "vitest";
import { startBlackHole } from "./index.ts";

test("a request to connect to it is not answered, as long as it is there", async () => {
  const hole = await startBlackHole();
  const socket = connect(hole.port, hole.host);
  await expect(once(socket, "connect", { signal: AbortSignal.timeout(700) })).rejects.toMatchObject({
    name: "AbortError",
  });
  socket.destroy();
  await hole.close();
  await hole.close();
  const refused = connect(hole.port, hole.host);
  await expect(once(refused, "connect")).rejects.toMatchObject({ code: "ECONNREFUSED" });
});
