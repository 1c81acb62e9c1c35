import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { BundledPackage } from "./bundled-packages.ts";
import { workspace } from "./lambda-functions.ts";
import { thirdPartyLicences } from "./licences.ts";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "quarterturn-licences-"));
});
afterAll(() => rm(folder, { recursive: true }));

const mit = 'Copyright (c) somebody\n\nThe software is provided "as is".';

async function installed(
  name: string,
  files: Readonly<Record<string, string>>,
  more: Partial<BundledPackage> = {},
): Promise<BundledPackage> {
  const path = join(folder, name);
  await mkdir(path);
  for (const [file, text] of Object.entries(files)) await writeFile(join(path, file), text);
  return {
    name,
    version: "1.2.3",
    license: "MIT",
    folder: relative(workspace, path),
    isOwn: false,
    imports: [],
    ...more,
  };
}

it("names each package with version and licence, and has a text that several share once", async () => {
  const packages = [
    await installed("first", { LICENSE: mit }),
    await installed("second", { "license.md": `${mit.replaceAll("\n", "\r\n")}\n` }),
    await installed("ours", {}, { isOwn: true }),
  ];
  const text = await thirdPartyLicences(packages);
  expect(text).toContain(`first 1.2.3 (MIT)\nsecond 1.2.3 (MIT)\n\n${mit}\n`);
  expect(text.split(mit)).toHaveLength(2);
  expect(text).not.toContain("ours");
});

it("hands a NOTICE on", async () => {
  const text = await thirdPartyLicences([await installed("noticed", { LICENSE: mit, NOTICE: "Thanks to all." })]);
  expect(text).toContain(`${mit}\n\nThanks to all.`);
});

it("takes the text from the README where no file has it", async () => {
  const readme = `# What it is\n\n## License\n\n${mit}\n\n## Thanks\n\nto all`;
  const text = await thirdPartyLicences([await installed("readme", { "README.md": readme })]);
  expect(text.slice(text.indexOf("readme"))).toBe(`readme 1.2.3 (MIT)\n\n${mit}\n`);
});

it.each(["GPL-3.0-only", "SEE LICENSE IN LICENSE", ""])("refuses a package whose licence is '%s'", async (license) => {
  const refused = await installed(`licence-${license.length}`, { LICENSE: mit }, { license });
  await expect(thirdPartyLicences([refused])).rejects.toThrow(`${refused.name} 1.2.3 would be in the bundle`);
});

it.each([
  ["nothing-in-it", {}],
  ["only-a-name", { LICENSE: "MIT", "README.md": "# Thing\n\n## License\n\nMIT" }],
])("refuses a package without a licence's text: %s", async (name, files) => {
  await expect(thirdPartyLicences([await installed(name, files)])).rejects.toThrow(
    `${name} 1.2.3 would be in the bundle, and neither`,
  );
});
