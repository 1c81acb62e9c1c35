import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { type Attempt, refusedWindow } from "./attempt.ts";
import type { BenchFunction } from "./function.ts";
import type { Row } from "./row.ts";
import { median } from "./statistics.ts";
import type { Account, World } from "./world.ts";

export interface RefusedWindows extends Pick<Row, "refusedWindowMs"> {
  /** Of all attempts of the application, over all rotations. */
  readonly attempts: number;
  readonly refused: number;
  /** Refused logins as the server counts them, the function's included. */
  readonly refusedByServer: number;
}

/** Rotates `n` times while an application logs in continuously. @throws Error where an attempt fails for another reason than its password */
export async function refusedWindows(
  world: World,
  account: Account,
  by: BenchFunction,
  n: number,
): Promise<RefusedWindows> {
  await using application = startApplication(world, account);
  const windows: number[] = [];
  let attempts = 0;
  let refused = 0;
  await application.accepted(now());
  const before = await world.server.logins();
  for (let i = 0; i < n; i++) {
    application.forget();
    await world.rotate(account, by);
    await application.accepted(now());
    windows.push(refusedWindow(application.attempts));
    attempts += application.attempts.length;
    refused += application.attempts.filter(({ outcome }) => outcome === "refused").length;
  }
  const refusedByServer = (await world.server.logins()).refused - before.refused;
  const refusedWindowMs = { median: median(windows), max: Math.max(...windows), n };
  return { refusedWindowMs, attempts, refused, refusedByServer };
}

const now = () => performance.timeOrigin + performance.now();

function startApplication(world: World, account: Account) {
  const { caFile } = world.server;
  const child = fork(program, [world.name, world.endpoint.url, account.secretId, ...(caFile ? [caFile] : [])]);
  const closed = once(child, "close");
  const ended = closed.then(([code]) => {
    throw new Error(`The application ended with ${code}: what it wrote says why.`);
  });
  let attempts: Attempt[] = [];
  let wake = () => {};
  child.on("message", (attempt: Attempt) => {
    attempts.push(attempt);
    wake();
  });
  return {
    get attempts(): readonly Attempt[] {
      return attempts;
    },
    forget() {
      attempts = [];
    },
    /** Resolves when an attempt that began after this moment was accepted. */
    async accepted(after: number): Promise<void> {
      const isThere = () => attempts.some(({ at, outcome }) => at > after && outcome === "accepted");
      while (!isThere()) {
        const message = new Promise<void>((resolve) => {
          wake = resolve;
        });
        await Promise.race([message, ended]);
      }
    },
    async [Symbol.asyncDispose]() {
      // The application is ended here, which is no failure any more.
      ended.catch(() => undefined);
      child.kill("SIGKILL");
      await closed;
    },
  };
}

const program = fileURLToPath(new URL("./application.ts", import.meta.url));
