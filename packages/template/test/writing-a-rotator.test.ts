import { mkdir, readFile, writeFile } from "node:fs/promises";
import { rotatorConformance } from "@quarterturn/conformance";
import { imitatedCloudflare } from "./imitated-cloudflare.ts";

/** The rotator of docs/writing-a-rotator.md, as it stands there. */
async function rotatorOfThePage(): Promise<URL> {
  const page = await readFile(new URL("../../../docs/writing-a-rotator.md", import.meta.url), "utf8");
  const code = /^```ts\n([\s\S]*?export const handler[\s\S]*?)^```$/m.exec(page)?.[1];
  if (code === undefined) throw new Error("docs/writing-a-rotator.md shows no handler");
  const folder = new URL("../../../build/writing-a-rotator/", import.meta.url);
  await mkdir(folder, { recursive: true });
  const module = new URL("single-user.ts", folder);
  await writeFile(module, code);
  return module;
}

rotatorConformance({
  name: "the rotator of docs/writing-a-rotator.md",
  handler: await rotatorOfThePage(),
  strategy: "single-user",
  window: "none",
  credentials: "issued",
  env: ({ host, port }) => ({ CLOUDFLARE_URL: `http://${host}:${port}`, SECRET_FIELD: "password" }),
  target: imitatedCloudflare,
});
