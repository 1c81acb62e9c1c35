import { createHash } from "node:crypto";
import { NotFound, S3Client } from "@aws-sdk/client-s3";
import {
  NotFoundException,
  ServerlessApplicationRepositoryClient,
} from "@aws-sdk/client-serverlessapplicationrepository";
import type { PackagedApplication } from "./packaged-application.ts";
import { type PublishOptions, publish } from "./publish.ts";

/** What a dry run has to show. */
export interface DryRun {
  readonly lines: readonly string[];
  /** The long texts among what would be sent, by the files that the lines name, from the repository's root. */
  readonly files: ReadonlyMap<string, string>;
}

/** Where the files of a dry run are, from the repository's root. */
export const dryRunFolder = "build/sar";

/**
 * The calls that publishing makes, one in a line, with what each sends; a long text or archive by its size and SHA-256. They are the calls of
 * `publish` itself, answered here: nothing is sent or written, and no credentials are needed. Deterministic.
 */
export async function dryRun(
  applications: readonly PackagedApplication[],
  { bucket, region, isPublic }: { readonly bucket: string; readonly region: string } & Pick<PublishOptions, "isPublic">,
): Promise<DryRun> {
  const files = new Map<string, string>();
  const callsTo = async (published: readonly string[]) => {
    const calls: string[] = [];
    const say = (service: string, commandName: string, input: object) =>
      calls.push(`${service} ${commandName.replace(/Command$/, "")} ${inShort(input, files)}`);
    const answered = answeringClients(region, published, say);
    await publish(async () => applications, { ...answered, bucket, region }, { isPublic, report: () => undefined });
    return calls;
  };
  const first = await callsTo([]);
  const again = await callsTo(applications.map(({ name }) => name));
  const lines = [
    `Nothing is sent. Where no application is there yet, these are the ${first.length} calls:`,
    ...first,
    "",
    "Where an application is there with other versions, these instead of its CreateApplication:",
    ...again.filter((call) => !first.includes(call)),
    "",
    "Where this version is there already: GetApplication says whether it is the same, and nothing is written.",
  ];
  return { lines, files };
}

/** The SDK's clients, which answer every call themselves as an account with these applications would. */
function answeringClients(region: string, published: readonly string[], say: Say) {
  const id = (name: string | undefined) => `arn:aws:serverlessrepo:${region}:ACCOUNT:applications/${name}`;
  const s3 = new S3Client({ region });
  s3.middlewareStack.add(
    (_next, { commandName = "" }) =>
      async ({ input }) => {
        say("s3", commandName, input);
        if (commandName === "HeadObjectCommand")
          throw new NotFound({ message: "", $metadata: { httpStatusCode: 404 } });
        return { output: { $metadata: {} }, response: undefined };
      },
    { step: "initialize", priority: "high" },
  );
  const repository = new ServerlessApplicationRepositoryClient({ region });
  repository.middlewareStack.add(
    (_next, { commandName = "" }) =>
      async ({ input }) => {
        say("serverlessrepo", commandName, input);
        if (commandName === "GetApplicationCommand") throw new NotFoundException({ message: "", $metadata: {} });
        const output = {
          Applications: published.map((Name) => ({ Name, ApplicationId: id(Name) })),
          ApplicationId: "Name" in input ? id(input.Name) : undefined,
          $metadata: {},
        };
        return { output, response: undefined };
      },
    { step: "initialize", priority: "high" },
  );
  return { s3, repository };
}

type Say = (service: string, commandName: string, input: object) => void;

/** The members of a call that are files of an application. */
const fileNames: Readonly<Record<string, string>> = {
  TemplateBody: "template.yaml",
  ReadmeBody: "README.md",
  LicenseBody: "LICENSE",
};

/** As JSON. @param files gets the long texts */
function inShort(
  input: { readonly Name?: string; readonly ApplicationId?: string },
  files: Map<string, string>,
): string {
  const application = (input.Name ?? input.ApplicationId)?.replace(/.*\//, "");
  return JSON.stringify(input, (key, value: unknown) => {
    if (value instanceof Uint8Array) return digest(value);
    // A Buffer's own toJSON has had its turn by now.
    if (typeof value === "object" && value !== null && "type" in value && value.type === "Buffer" && "data" in value)
      return digest(Buffer.from(value.data as number[]));
    if (typeof value !== "string" || fileNames[key] === undefined) return value;
    const file = `${dryRunFolder}/${application}/${fileNames[key]}`;
    files.set(file, value);
    return digest(Buffer.from(value), `, ${file}`);
  });
}

const digest = (bytes: Uint8Array, where = "") =>
  `<${bytes.byteLength} bytes, sha256 ${createHash("sha256").update(bytes).digest("hex")}${where}>`;
