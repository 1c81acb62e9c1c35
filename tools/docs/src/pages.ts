import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import { workspace } from "@quarterturn-tools/bundle";

/** A Markdown file that users read. */
export interface Page {
  /** From the repository's root, e.g. `docs/deploying.md`. */
  readonly path: string;
  readonly text: string;
}

/** A fenced block of a page. */
export interface Snippet {
  readonly page: string;
  /** Of the page, from 1: the fence's. */
  readonly line: number;
  /** The first word after the fence, e.g. `sh`; empty where there is none. */
  readonly language: string;
  readonly code: string;
  /** The file that it is, where the paragraph before it ends with a file's name and a colon. */
  readonly file?: string;
}

/** Every page, in order of path. */
export async function pages(): Promise<readonly Page[]> {
  const patterns = ["*.md", "docs/**/*.md", "sam-templates/**/*.md", "{packages,tools}/*/README.md"];
  const found: Page[] = [];
  for await (const path of glob([...patterns, "packages/*/examples/*/README.md"], { cwd: workspace }))
    found.push({ path, text: await readFile(join(workspace, path), "utf8") });
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** The fenced blocks of a page, in order. */
export function snippetsOf({ path, text }: Page): readonly Snippet[] {
  return [...text.matchAll(/(?:`([\w.-]+)`:\n\n)?^```([\w-]*)[^\n]*\n(.*?)^```$/gms)].map((match) => {
    const [whole, file, language = "", code = ""] = match;
    const line = text.slice(0, match.index + whole.indexOf("```")).split("\n").length;
    return { page: path, line, language, code, ...(file === undefined ? {} : { file }) };
  });
}

/**
 * The shell's lines in a page: its `sh` blocks, what is indented and begins with a program's name, and the AWS CLI's lines within sentences
 * that leave nothing out.
 */
export function commandsOf(page: Page): readonly Snippet[] {
  const prose = page.text.replaceAll(/^```.*?^```$/gms, (block) => block.replaceAll(/[^\n]/g, ""));
  const inProse = [...prose.matchAll(/(?:^ {4}(?:npm|npx|node|aws) .*\n)+|(?<=`)aws [a-z][^`…]*(?=`)/gm)];
  return [
    ...snippetsOf(page).filter(({ language }) => language === "sh"),
    ...inProse.map((match) => ({
      page: page.path,
      line: prose.slice(0, match.index).split("\n").length,
      language: "sh",
      code: match[0],
    })),
  ];
}

/** The anchors that GitHub makes of a page's headings. */
export function anchorsOf({ text }: Page): ReadonlySet<string> {
  const anchors = new Set<string>();
  const prose = text.replaceAll(/^```.*?^```$/gms, "");
  for (const [, heading = ""] of prose.matchAll(/^#{1,6} +(.*)$/gm)) {
    const anchor = heading
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(" ", "-");
    let unique = anchor;
    for (let i = 1; anchors.has(unique); i++) unique = `${anchor}-${i}`;
    anchors.add(unique);
  }
  return anchors;
}

/** The addresses of a page's links and pictures. */
export function linksOf({ text }: Page): readonly string[] {
  const prose = text.replaceAll(/^```.*?^```$/gms, "").replaceAll(/`[^`\n]*`/g, "`");
  return [...prose.matchAll(/\]\(\s*([^()\s]+)\s*\)/g)].map(([, address = ""]) => address);
}
