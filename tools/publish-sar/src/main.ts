/** `npm run publish:sar`: publishes the applications to the Serverless Application Repository. */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { S3Client } from "@aws-sdk/client-s3";
import { ServerlessApplicationRepositoryClient } from "@aws-sdk/client-serverlessapplicationrepository";
import { workspace } from "@quarterturn-tools/bundle";
import { checkedOutCommit, refuseUnclaimed } from "@quarterturn-tools/release/git";
import { applications } from "@quarterturn-tools/sam";
import { type DryRun, dryRun, dryRunFolder } from "./dry-run.ts";
import { packagedApplications } from "./packaged-application.ts";
import { publish } from "./publish.ts";

const help = `\
npm run publish:sar -- --bucket NAME [--region NAME] [--public] [--dry-run]

Publishes every application to the AWS Serverless Application Repository, in
the version of its package. What is there already is left alone; a run that was
interrupted is finished by running it again. Everything must be committed; what
is made public must be the commit that npm run release has tagged.

  --bucket   S3 bucket for the archives, in that region, which
             serverlessrepo.amazonaws.com may read
  --region   default: AWS_REGION, or the profile's; public: us-east-1, us-east-2
  --public   share with everybody; otherwise who may use it stays as it is
  --dry-run  print what would be sent, and send nothing; needs no credentials.
             Templates, READMEs and licences go to build/sar
  --debug    an error with its stack`;

const isDebugging = process.argv.includes("--debug");
try {
  const { values } = parseArgs({
    options: {
      bucket: { type: "string" },
      region: { type: "string" },
      public: { type: "boolean", default: false },
      "dry-run": { type: "boolean", default: false },
      debug: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) console.log(help);
  else if (values.bucket === undefined)
    throw new Error(`--bucket is missing, the S3 bucket for the archives.\n\n${help}`);
  else await run(values.bucket, values.region, values.public, values["dry-run"]);
} catch (error) {
  if (isDebugging) console.error(error);
  else console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}

async function run(bucket: string, regionOption: string | undefined, isPublic: boolean, isDry: boolean): Promise<void> {
  const region = await regionFrom(regionOption);
  if (isDry) {
    await show(await dryRun(await packagedApplications(bucket), { bucket, region, isPublic }));
    return;
  }
  await refuseUnreleased(isPublic);
  const destination = {
    s3: new S3Client({ region }),
    repository: new ServerlessApplicationRepositoryClient({ region }),
    bucket,
    region,
  };
  await publish(() => packagedApplications(bucket), destination, { isPublic, report: (text) => console.log(text) });
}

async function show({ lines, files }: DryRun): Promise<void> {
  await rm(join(workspace, dryRunFolder), { recursive: true, force: true });
  for (const [file, text] of files) {
    const path = join(workspace, file);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }
  for (const line of lines) console.log(line);
}

/** So that nobody gets another commit's code under a version that npm has, and a run is not finished with another one's. */
async function refuseUnreleased(isPublic: boolean): Promise<void> {
  const commit = await checkedOutCommit();
  if (commit === undefined)
    throw new Error(
      "There are changes that are not committed: a published version can never be changed, and must be a commit's. Commit them first.",
    );
  if (!isPublic) return;
  for (const version of new Set((await applications()).map((each) => each.version)))
    await refuseUnclaimed(version, commit);
}

/** The option, or what the SDK finds in the environment and the profile. */
async function regionFrom(option: string | undefined): Promise<string> {
  if (option !== undefined) return option;
  return new S3Client({}).config.region().catch(() => {
    throw new Error("No region: give --region us-east-1, or set AWS_REGION.");
  });
}
