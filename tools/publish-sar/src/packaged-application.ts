import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { bundle, workspace } from "@quarterturn-tools/bundle";
import { applications, readmeOf, templateOf } from "@quarterturn-tools/sam";
import { type Document, parseDocument } from "yaml";

/** One version of an application, as the Serverless Application Repository takes it. */
export interface PackagedApplication {
  readonly name: string;
  readonly version: string;
  /** The template, with the archive's place in S3 as the function's code. */
  readonly template: string;
  readonly archive: Archive;
  /** What the repository shows beside the template, and what can be changed later. */
  readonly page: {
    readonly Author: string;
    readonly Description: string;
    readonly Labels: string[];
    readonly HomePageUrl: string;
    readonly ReadmeBody: string;
  };
  /** What is fixed for good when the application is created. */
  readonly license: { readonly SpdxLicenseId: string; readonly LicenseBody: string };
  /** Where the sources are, with the digest of this version as its fragment. */
  readonly sourceCodeUrl: string;
}

/** A function's code in S3, under a name that holds its digest: what is there under that name need not be sent again. */
interface Archive {
  readonly key: string;
  readonly bytes: Uint8Array;
  /** SHA-256, in base64 as S3 has it. */
  readonly checksum: string;
}

/** All keys begin so: the publisher's permissions name it. */
export const keyPrefix = "quarterturn/";

/**
 * Every application, bundled and packaged. Deterministic: the same sources and bucket give the same bytes.
 *
 * @param bucket the S3 bucket that will hold the archives
 * @param into the folder to bundle to; default: build/lambda
 */
export async function packagedApplications(bucket: string, into?: string): Promise<readonly PackagedApplication[]> {
  const zipFiles = new Map((await bundle(into)).map(({ name, zipFile }) => [name, zipFile]));
  const license = await readFile(join(workspace, "LICENSE"), "utf8");
  return Promise.all(
    (await applications()).map(async (application) => {
      const zipFile = zipFiles.get(application.folder);
      if (zipFile === undefined) throw new Error(`There is no bundle for ${application.folder}.`);
      return packageApplication(
        {
          folder: application.folder,
          template: templateOf(application),
          readme: readmeOf(application),
          license,
          code: await readFile(zipFile),
        },
        bucket,
      );
    }),
  );
}

/** What an application is made of. */
export interface Parts {
  /** Its folder's name in sam-templates, which its archive has too. */
  readonly folder: string;
  /** As `npm run generate` writes it. */
  readonly template: string;
  readonly readme: string;
  readonly license: string;
  /** The zip archive. */
  readonly code: Uint8Array;
}

export function packageApplication(
  { folder, template, readme, license, code }: Parts,
  bucket: string,
): PackagedApplication {
  const document = parseDocument(template);
  const metadata: Metadata = document.toJS().Metadata[metadataKey];
  const sha256 = createHash("sha256").update(code).digest();
  const hex = sha256.toString("hex");
  const key = `${keyPrefix}${folder}/${hex}.zip`;

  // The repository takes these apart from the template; the paths in it mean nothing there.
  document.deleteIn(["Metadata", metadataKey]);
  if (Object.keys(document.toJS().Metadata).length === 0) document.delete("Metadata");
  setCode(document, folder, hex);
  const digest = createHash("sha256").update(JSON.stringify(document.toJS())).digest("hex");
  setCode(document, folder, `s3://${bucket}/${key}`);

  return {
    name: metadata.Name,
    version: metadata.SemanticVersion,
    template: document.toString({ lineWidth: 0 }),
    archive: { key, bytes: code, checksum: sha256.toString("base64") },
    page: {
      Author: metadata.Author,
      Description: metadata.Description,
      Labels: metadata.Labels,
      HomePageUrl: metadata.HomePageUrl,
      ReadmeBody: readme,
    },
    license: { SpdxLicenseId: metadata.SpdxLicenseId, LicenseBody: license },
    sourceCodeUrl: `${metadata.SourceCodeUrl}#sha256=${digest}`,
  };
}

function setCode(document: Document, folder: string, code: string): void {
  const resources: Record<string, { Type: string }> = document.toJS().Resources;
  const functions = Object.keys(resources).filter((name) => resources[name]?.Type === "AWS::Serverless::Function");
  if (functions.length !== 1)
    throw new Error(`${folder}: one archive, and ${functions.length} functions in the template`);
  document.setIn(["Resources", functions[0], "Properties", "CodeUri"], code);
}

const metadataKey = "AWS::ServerlessRepo::Application";

interface Metadata {
  readonly Name: string;
  readonly Description: string;
  readonly Author: string;
  readonly SpdxLicenseId: string;
  readonly Labels: string[];
  readonly HomePageUrl: string;
  readonly SourceCodeUrl: string;
  readonly SemanticVersion: string;
}
