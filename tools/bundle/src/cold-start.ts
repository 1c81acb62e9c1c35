/**
 * `npm run bench:cold-start`: what a new process of a function costs, with the bundle as it is and with what could be in its place. The
 * decisions in ../README.md rest on it.
 */
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { CreateSecretCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { startLocal } from "@quarterturn/local";
import { build, type OutputFile } from "esbuild";
import { bundleJavaScript, entryPoint, options } from "./javascript.ts";
import { lambdaFunctions, workspace } from "./lambda-functions.ts";
import { startLambda } from "./lambda-process.ts";

const help = `\
npm run bench:cold-start

Starts PostgreSQL's single-user function in new processes, by AWS's runtime
client, until a step is done that takes one call of Secrets Manager: as it is
bundled, as ES modules, and with the AWS SDK beside it instead of in it, 30
times each, taking turns. Takes half a minute. Let the machine rest meanwhile.`;

const runs = 30;

interface Variant {
  readonly name: string;
  readonly file: "index.js" | "index.mjs";
  readonly code: Uint8Array;
  readonly hasPackages: boolean;
}

interface Start {
  readonly loadMs: number;
  readonly doneMs: number;
  readonly processorMs: number;
  readonly peakMemoryMb: number;
}

try {
  const { values } = parseArgs({ options: { help: { type: "boolean", short: "h" } } });
  if (values.help) console.log(help);
  else await measure();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}

async function variants(): Promise<Variant[]> {
  const { entry } = (await lambdaFunctions()).find(({ name }) => name === "rds-postgres-single-user") ?? { entry: "" };
  const asIs = (await bundleJavaScript(entry)).files.get("index.js");
  const { supported: _, ...common } = { ...options, stdin: entryPoint(entry), outfile: "index" };
  // The drivers' own files are CommonJS and call require.
  const banner = {
    js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
  };
  const modules = await build({ ...common, format: "esm", banner });
  const { alias: __, ...withoutAlias } = { ...common, supported: options.supported };
  const beside = await build({ ...withoutAlias, external: ["@aws-sdk/*", "@smithy/*"] });
  const code = (output: { outputFiles: OutputFile[] }) => output.outputFiles[0]?.contents ?? new Uint8Array();
  return [
    { name: "as bundled: CommonJS, SDK inside", file: "index.js", code: asIs ?? code(modules), hasPackages: false },
    { name: "ES modules, SDK inside", file: "index.mjs", code: code(modules), hasPackages: false },
    { name: "CommonJS, SDK beside it", file: "index.js", code: code(beside), hasPackages: true },
  ];
}

async function measure(): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const endpoint = stack.use(await startLocal({ functions: {} }));
  const { url, region } = endpoint;
  const credentials = { accessKeyId: "operator", secretAccessKey: "operator" };
  const client = stack.adopt(new SecretsManagerClient({ endpoint: url, region, credentials }), (each) =>
    each.destroy(),
  );
  const created = await client.send(new CreateSecretCommand({ Name: "any", SecretString: "{}" }));
  // There is nothing left to do: the version is AWSCURRENT already, which DescribeSecret says.
  const event = { Step: "finishSecret", SecretId: created.ARN, ClientRequestToken: created.VersionId };
  const measured = await Promise.all(
    (await variants()).map(async (variant) => {
      const folder = await mkdtemp(join(tmpdir(), "quarterturn-cold-start-"));
      stack.defer(() => rm(folder, { recursive: true }));
      await writeFile(join(folder, variant.file), variant.code);
      if (variant.hasPackages) await symlink(join(workspace, "node_modules"), join(folder, "node_modules"));
      return { variant, folder, starts: [] as Start[] };
    }),
  );
  // The first round fills the file cache.
  for (let run = 0; run <= runs; run++) {
    for (const { folder, starts } of measured) {
      const start = await coldStart(folder, url, event);
      if (run > 0) starts.push(start);
    }
  }
  console.log(
    `${cpus()[0]?.model}, Node.js ${process.version}, load ${loadavg()[0]?.toFixed(1)}; medians of ${runs} (least)\n`,
  );
  console.log(
    `${"".padEnd(34)}${["KB", "load ms", "done ms", "processor ms", "peak MB"].map((title) => title.padStart(13)).join("")}`,
  );
  for (const { variant, starts } of measured) {
    const figures = [
      (variant.code.byteLength / 1000).toFixed(0),
      ...(["loadMs", "doneMs", "processorMs", "peakMemoryMb"] as const).map((key) =>
        summary(starts.map((each) => each[key])),
      ),
    ];
    console.log(`${variant.name.padEnd(34)}${figures.map((figure) => figure.padStart(13)).join("")}`);
  }
}

async function coldStart(folder: string, url: string, event: object): Promise<Start> {
  await using lambda = await startLambda({ folder, env: { SECRETS_MANAGER_ENDPOINT: url } });
  const begun = performance.now();
  const { processorMs, peakMemoryMb } = await lambda.invoke(event);
  return { loadMs: lambda.initMs, doneMs: lambda.startMs + performance.now() - begun, processorMs, peakMemoryMb };
}

function summary(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  return `${sorted[Math.floor(sorted.length / 2)]?.toFixed(0)} (${sorted[0]?.toFixed(0)})`;
}
