import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { BundledPackage } from "./bundled-packages.ts";
import { workspace } from "./lambda-functions.ts";

/** Whose only condition, for a function that is deployed and given away, is that their text goes with it. */
const accepted = ["0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "Zlib"];

/**
 * The text that a bundle's zip archive holds for what is not this project's in it: each package, its version, its licence and that licence's
 * full text, once for all that share it.
 *
 * @throws Error naming the package, where its licence is not accepted or nothing in it has the text
 */
export async function thirdPartyLicences(packages: readonly BundledPackage[]): Promise<string> {
  const byText = new Map<string, string[]>();
  for (const each of packages.filter(({ isOwn }) => !isOwn)) {
    const { name, version, license } = each;
    if (!accepted.includes(license)) {
      throw new Error(
        `${name} ${version} would be in the bundle, and its licence is ${license || "not stated"}. Accepted are ${accepted.join(", ")}.`,
      );
    }
    const text = await licenceText(each);
    byText.set(text, [...(byText.get(text) ?? []), `${name} ${version} (${license})`]);
  }
  const sections = [...byText].map(([text, titles]) => `${titles.join("\n")}\n\n${text}\n`);
  return [introduction, ...sections].join(`\n${"=".repeat(80)}\n\n`);
}

const introduction = `\
This function is Quarterturn, under the Apache License 2.0 (see LICENSE), and has
code of these packages in it, each under its own licence.
`;

async function licenceText({ folder, name, version }: BundledPackage): Promise<string> {
  const path = join(workspace, folder);
  const files = (await readdir(path)).sort();
  const read = async (file: string) => (await readFile(join(path, file), "utf8")).replaceAll("\r\n", "\n").trim();
  // A NOTICE is what the Apache licence asks to hand on.
  const texts = await Promise.all(files.filter((file) => /^(licen[cs]e|copying|notice)\b/i.test(file)).map(read));
  const readme = files.find((file) => /^readme\b/i.test(file));
  if (texts.length === 0 && readme !== undefined) texts.push(licenceSection(await read(readme)));
  const text = texts.join("\n\n");
  // Every accepted licence says both; a file that only names the licence does not.
  if (!/copyright/i.test(text) || !/["“]as is["”]/i.test(text)) {
    throw new Error(
      `${name} ${version} would be in the bundle, and neither a file nor its README has its licence's text.`,
    );
  }
  return text;
}

/** Some packages have their licence there only. */
function licenceSection(readme: string): string {
  const [, section = ""] = readme.split(/^#+ *licen[cs]e *$/im);
  return section.split(/^#/m, 1).join().trim();
}
