/** `npm run bundle`: writes the Lambda functions, and says what takes the room in them. */
import { relative } from "node:path";
import { parseArgs } from "node:util";
import { type Bundle, bundle } from "./bundle.ts";
import { workspace } from "./lambda-functions.ts";

const help = `\
npm run bundle -- [--verbose]

Writes the Lambda functions of all rotators to build/lambda, each as a folder
and as a zip archive to deploy: its code, the licences of what is in it, and a
bill of materials (sbom.cdx.json). Prints the archives' sizes.

  --verbose   what takes the room in each`;

try {
  const { values } = parseArgs({
    options: { verbose: { type: "boolean" }, help: { type: "boolean", short: "h" } },
  });
  if (values.help) console.log(help);
  else await write(values.verbose ?? false);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}

async function write(isVerbose: boolean): Promise<void> {
  for (const each of await bundle()) {
    console.log(`${kilobytes(each.zipBytes)}  ${relative(workspace, each.zipFile)}`);
    if (isVerbose) explain(each);
  }
  console.log("\nEach is a function's code, to deploy as docs/deploying/from-a-clone.md says.");
}

function explain({ folder, contents }: Bundle): void {
  for (const [file, packages] of contents) {
    console.log(
      `  ${kilobytes(packages.reduce((sum, { bytes }) => sum + bytes, 0))}  ${relative(workspace, folder)}/${file}`,
    );
    const large = packages.filter(({ bytes }) => bytes >= 5_000);
    for (const each of large) console.log(`    ${kilobytes(each.bytes)}  ${each.package}`);
    const rest = packages.slice(large.length);
    console.log(`    ${kilobytes(rest.reduce((sum, { bytes }) => sum + bytes, 0))}  ${rest.length} others`);
  }
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1).padStart(7)} KB`;
}
