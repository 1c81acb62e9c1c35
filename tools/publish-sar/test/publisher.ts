/** Publishes packaged applications from a file, as `npm run publish:sar` does: a process of its own, for tests that kill it. */
import { readFile } from "node:fs/promises";
import { deserialize } from "node:v8";
import { S3Client } from "@aws-sdk/client-s3";
import { ServerlessApplicationRepositoryClient } from "@aws-sdk/client-serverlessapplicationrepository";
import { publish } from "../src/publish.ts";

const [, , file = "", bucket = "", region = ""] = process.argv;
const destination = {
  s3: new S3Client({ region }),
  repository: new ServerlessApplicationRepositoryClient({ region }),
  bucket,
  region,
};
await publish(async () => deserialize(await readFile(file)), destination, {
  isPublic: true,
  report: (text) => console.log(text),
});
