import { basename, extname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { type BuildOptions, build, type Metafile, type OutputFile, type Plugin, type StdinOptions } from "esbuild";
import { workspace } from "./lambda-functions.ts";

/** The JavaScript of a function. */
export interface JavaScript {
  /** By name: `index.js`, which exports `handler`, and what is loaded only when it is needed. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Bytes of each file by the package that they come from, largest first. */
  readonly contents: ReadonlyMap<string, readonly { readonly package: string; readonly bytes: number }[]>;
  /** The project's own source files of which something is in it, from the repository's root. */
  readonly sources: readonly string[];
  /** Every file that was read, from the repository's root: how much of it is in it, and what it imports. `<stdin>` is the entry. */
  readonly inputs: ReadonlyMap<string, { readonly bytes: number; readonly imports: readonly string[] }>;
}

const core = "@quarterturn/core";
const handlerFile = "index.js";

/**
 * CommonJS and not ESM, since it loads faster, and less of it: the SDK's ES modules, from which what is not used is left out.
 */
export const options = {
  bundle: true,
  minify: true,
  platform: "node",
  format: "cjs",
  target: "node22",
  // "module" is there by default; a list takes its place.
  conditions: ["@quarterturn/source", "module"],
  mainFields: ["module", "main"],
  // So that import() becomes require(), which needs no second loader.
  supported: { "dynamic-import": false },
  alias: {
    "@aws-sdk/credential-provider-node": fileURLToPath(new URL("./environment-credentials.ts", import.meta.url)),
  },
  legalComments: "none",
  absWorkingDir: workspace,
  metafile: true,
  write: false,
} as const satisfies BuildOptions;

/**
 * Bundles a handler with everything that it imports, the SDK included. What the project's sources import lazily becomes a file of its own,
 * which takes core from `index.js`: an error that it throws must be an instance of the same RotationError.
 *
 * @param entry the source file that exports `handler`
 */
export async function bundleJavaScript(entry: string): Promise<JavaScript> {
  const lazy = new Map<string, string>();
  const main = await build({
    ...options,
    stdin: entryPoint(entry),
    outfile: handlerFile,
    plugins: [lazyFiles(lazy)],
  });
  const results = [result(handlerFile, main)];
  const parts: { metafile: Metafile }[] = [];
  const imported = Object.values(main.metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => path));
  for (const [name, source] of lazy) {
    // What only left-out code imports is left out, too.
    if (!imported.includes(`./${name}`)) continue;
    const part = await build({ ...options, entryPoints: [source], outfile: name, plugins: [coreFromHandlerFile] });
    requireAlone(source, part.metafile);
    results.push(result(name, part));
    parts.push(part);
  }
  return {
    files: new Map(results.map(({ name, bytes }) => [name, bytes])),
    contents: new Map(results.map(({ name, contents }) => [name, contents])),
    sources: results.flatMap(({ sources }) => sources),
    inputs: inputsOf([main, ...parts]),
  };
}

/** @param entry the source file that exports `handler` */
export function entryPoint(entry: string): StdinOptions {
  return {
    contents: `export { handler } from ${JSON.stringify(entry)}; export * from ${JSON.stringify(core)};`,
    resolveDir: fileURLToPath(new URL(".", import.meta.url)),
  };
}

/** Leaves the project's own lazy imports out, and notes them. */
function lazyFiles(found: Map<string, string>): Plugin {
  return {
    name: "lazy-files",
    setup({ onResolve }) {
      onResolve({ filter: /^\.\.?\// }, ({ kind, path, resolveDir, importer }) => {
        if (kind !== "dynamic-import" || isInstalled(importer)) return undefined;
        const source = join(resolveDir, path);
        const name = `${basename(path, extname(path))}.js`;
        const other = found.get(name);
        if (name === handlerFile || (other !== undefined && other !== source)) {
          return { errors: [{ text: `${source} is imported lazily and would become ${name}, which exists already` }] };
        }
        found.set(name, source);
        return { path: `./${name}`, external: true };
      });
    },
  };
}

const coreFromHandlerFile: Plugin = {
  name: "core-from-handler-file",
  setup({ onResolve }) {
    onResolve({ filter: new RegExp(`^${core}$`) }, () => ({ path: `./${handlerFile}`, external: true }));
  },
};

/** Another file of the project would be in the bundle twice, with two states and two classes of each name. */
function requireAlone(source: string, { inputs }: Metafile): void {
  const own = relative(workspace, source);
  const others = Object.keys(inputs).filter(
    (input) => !isInstalled(input) && input !== own && !input.startsWith("tools/"),
  );
  if (others.length === 0) return;
  throw new Error(`${own} is loaded lazily: of this project it can import ${core} only, and not ${others.join(", ")}.`);
}

function isInstalled(path: string): boolean {
  return path.includes("node_modules/");
}

function result(name: string, { outputFiles, metafile }: { outputFiles: OutputFile[]; metafile: Metafile }) {
  const bytes = outputFiles[0]?.contents ?? new Uint8Array();
  const inputs = Object.values(metafile.outputs)
    .flatMap((output) => Object.entries(output.inputs))
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0);
  const byPackage = new Map<string, number>();
  for (const [input, { bytesInOutput }] of inputs) {
    const from = packageOf(input);
    byPackage.set(from, (byPackage.get(from) ?? 0) + bytesInOutput);
  }
  const contents = [...byPackage].map(([from, size]) => ({ package: from, bytes: size }));
  const sources = inputs.filter(([input]) => !isInstalled(input) && input !== "<stdin>");
  return {
    name,
    bytes,
    contents: contents.sort((a, b) => b.bytes - a.bytes),
    sources: sources.map(([input]) => input),
  };
}

function inputsOf(builds: readonly { readonly metafile: Metafile }[]): JavaScript["inputs"] {
  const inputs = new Map<string, { bytes: number; imports: readonly string[] }>();
  for (const { metafile } of builds) {
    const written = Object.values(metafile.outputs).map((output) => output.inputs);
    for (const [input, { imports }] of Object.entries(metafile.inputs)) {
      const bytes = written.reduce((sum, each) => sum + (each[input]?.bytesInOutput ?? 0), 0);
      const before = inputs.get(input)?.bytes ?? 0;
      inputs.set(input, { bytes: before + bytes, imports: imports.map(({ path }) => path) });
    }
  }
  return inputs;
}

/** `node_modules/@aws-sdk/core/dist-es/x.js` is of `@aws-sdk/core`, `packages/core/src/x.ts` of `packages/core`. */
function packageOf(input: string): string {
  const installed = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input)?.[1];
  return installed ?? input.split("/").slice(0, 2).join("/");
}
