/** `npm run bundle`: writes the Lambda functions, and says what takes the room in them. */
import { bundle } from "./bundle.ts";

const kilobytes = (bytes: number) => `${(bytes / 1000).toFixed(1).padStart(7)} KB`;

for (const { name, folder, zipFile, zipBytes, contents } of await bundle()) {
  console.log(`${name}\n${kilobytes(zipBytes)}  ${zipFile}`);
  for (const [file, packages] of contents) {
    console.log(`${kilobytes(packages.reduce((sum, { bytes }) => sum + bytes, 0))}  ${folder}/${file}`);
    const large = packages.filter(({ bytes }) => bytes >= 5_000);
    for (const each of large) console.log(`  ${kilobytes(each.bytes)}  ${each.package}`);
    const rest = packages.slice(large.length);
    console.log(`  ${kilobytes(rest.reduce((sum, { bytes }) => sum + bytes, 0))}  ${rest.length} others`);
  }
}
