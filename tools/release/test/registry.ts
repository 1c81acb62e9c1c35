import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { npmInstallation } from "@quarterturn-tools/engines/installation";

const lockedFolder = fileURLToPath(new URL("../verdaccio", import.meta.url));

/** Verdaccio, an npm registry that others wrote, on 127.0.0.1 and empty. */
export interface Registry extends AsyncDisposable {
  readonly url: string;
  /** Makes npm publish to it: {@link publishingEnv}. */
  readonly publishingEnv: Readonly<Record<string, string>>;
  /** Makes npm take `@quarterturn` packages from here, and all others from its configured registry. */
  readonly installingEnv: Readonly<Record<string, string>>;
}

export async function startRegistry(): Promise<Registry> {
  const cache = await npmInstallation(lockedFolder);
  const storage = await mkdtemp(join(tmpdir(), "quarterturn-registry-"));
  const child = fork(join(lockedFolder, "serve.cjs"), [cache, storage], {
    // Its warning that it should not be root's is of no use here.
    stdio: ["ignore", "ignore", "ignore", "ipc"],
    execArgv: [],
  });
  const closed = once(child, "close");
  const port = await Promise.race([
    once(child, "message").then(([message]) => message as number),
    closed.then(([code]) => {
      throw new Error(`Verdaccio ended with exit code ${code}.`);
    }),
  ]);
  return {
    url: `http://127.0.0.1:${port}/`,
    publishingEnv: publishingEnv(port),
    installingEnv: { "npm_config_@quarterturn:registry": `http://127.0.0.1:${port}/` },
    async [Symbol.asyncDispose]() {
      child.kill();
      await closed;
      await rm(storage, { recursive: true });
    },
  };
}

/** What makes npm publish to a port of 127.0.0.1. */
export function publishingEnv(port: number): Readonly<Record<string, string>> {
  return {
    npm_config_registry: `http://127.0.0.1:${port}/`,
    "npm_config_@quarterturn:registry": `http://127.0.0.1:${port}/`,
    // Any word: npm wants one before it publishes.
    [`npm_config_//127.0.0.1:${port}/:_authToken`]: "anybody",
  };
}
