import { createHash } from "node:crypto";
import { NotFound, S3Client } from "@aws-sdk/client-s3";
import {
  NotFoundException,
  ServerlessApplicationRepositoryClient,
} from "@aws-sdk/client-serverlessapplicationrepository";
import type { PackagedApplication } from "./packaged-application.ts";
import { type PublishOptions, publish } from "./publish.ts";

/**
 * The calls that publishing makes, one in a line, with what each sends; a long text or archive by its size and SHA-256. They are the calls of
 * `publish` itself, answered here: nothing is sent, and no credentials are needed. Deterministic.
 */
export async function dryRun(
  applications: readonly PackagedApplication[],
  { bucket, region, isPublic }: { readonly bucket: string; readonly region: string } & Pick<PublishOptions, "isPublic">,
): Promise<readonly string[]> {
  const callsTo = async (published: readonly string[]) => {
    const calls: string[] = [];
    const answered = answeringClients(region, published, (call) => calls.push(call));
    await publish(async () => applications, { ...answered, bucket, region }, { isPublic, report: () => undefined });
    return calls;
  };
  const first = await callsTo([]);
  const again = await callsTo(applications.map(({ name }) => name));
  return [
    `Nothing is sent. Where no application is there yet, these are the ${first.length} calls:`,
    ...first,
    "",
    "Where an application is there with other versions, these instead of its CreateApplication:",
    ...again.filter((call) => !first.includes(call)),
    "",
    "Where this version is there already: GetApplication says whether it is the same, and nothing is written.",
  ];
}

/** The SDK's clients, which answer every call themselves as an account with these applications would. */
function answeringClients(region: string, published: readonly string[], say: (call: string) => void) {
  const id = (name: string | undefined) => `arn:aws:serverlessrepo:${region}:ACCOUNT:applications/${name}`;
  const s3 = new S3Client({ region });
  s3.middlewareStack.add(
    (_next, { commandName = "" }) =>
      async ({ input }) => {
        say(`s3 ${line(commandName, input)}`);
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
        say(`serverlessrepo ${line(commandName, input)}`);
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

const line = (commandName: string, input: object) =>
  `${commandName.replace(/Command$/, "")} ${JSON.stringify(input, inShort)}`;

function inShort(_key: string, value: unknown): unknown {
  if (Buffer.isBuffer(value) || value instanceof Uint8Array) return digest(value);
  // A Buffer's own toJSON has had its turn by now.
  if (typeof value === "object" && value !== null && "type" in value && value.type === "Buffer" && "data" in value)
    return digest(Buffer.from(value.data as number[]));
  return typeof value === "string" && value.length > 500 ? digest(Buffer.from(value)) : value;
}

const digest = (bytes: Uint8Array) =>
  `<${bytes.byteLength} bytes, sha256 ${createHash("sha256").update(bytes).digest("hex")}>`;
