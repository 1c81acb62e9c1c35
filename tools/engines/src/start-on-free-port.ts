import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "./loopback.ts";
import { type ServerRecipe, type SupervisedServer, superviseServer } from "./supervised-server.ts";

/** How a server program tells how its start went. */
export interface StartSigns {
  /** What it is called in errors, e.g. "PostgreSQL 18.4". */
  readonly title: string;
  isReady(server: SupervisedServer): Promise<boolean>;
  /** What its log says of an address that another program has. A server that gets one of its addresses may go on without the others. */
  readonly addressInUse: RegExp;
}

/** Starts a server on a free port and waits until it is ready. @throws Error with its log if it does not become so */
export async function startOnFreePort(
  recipe: (port: number) => ServerRecipe,
  signs: StartSigns,
): Promise<{ port: number; server: SupervisedServer }> {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    const server = await superviseServer(recipe(port));
    const outcome = await startOutcome(server, signs);
    if (outcome === "ready") return { port, server };
    const log = await server.log();
    await server.close();
    if (outcome !== "port in use" || attempt === PORT_ATTEMPTS) {
      throw new Error(`${signs.title} did not start: ${outcome}. Its log:\n${log}`);
    }
  }
}

const PORT_ATTEMPTS = 5;
const START_TIMEOUT_MS = 60_000;
const POLL_MS = 10;

async function startOutcome(
  server: SupervisedServer,
  { isReady, addressInUse }: StartSigns,
): Promise<"ready" | "port in use" | "it ended" | "it was not ready in time"> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < deadline) {
    const ended = server.ended();
    if (ended || (await isReady(server))) {
      if (addressInUse.test(await server.log())) return "port in use";
      return ended ? "it ended" : "ready";
    }
    await sleep(POLL_MS);
  }
  return "it was not ready in time";
}
