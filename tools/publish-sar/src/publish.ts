import {
  HeadBucketCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
  S3ServiceException,
} from "@aws-sdk/client-s3";
import {
  type ApplicationPolicyStatement,
  CreateApplicationCommand,
  CreateApplicationVersionCommand,
  GetApplicationCommand,
  GetApplicationPolicyCommand,
  NotFoundException,
  PutApplicationPolicyCommand,
  paginateListApplications,
  type ServerlessApplicationRepositoryClient,
  UpdateApplicationCommand,
} from "@aws-sdk/client-serverlessapplicationrepository";
import { explain, inAnotherRegion } from "./explain.ts";
import type { PackagedApplication } from "./packaged-application.ts";

export interface Destination {
  readonly repository: ServerlessApplicationRepositoryClient;
  readonly s3: S3Client;
  readonly bucket: string;
  readonly region: string;
}

export interface PublishOptions {
  /** Share every application with everybody. Otherwise the policy of an application stays as it is: private, when it is new. */
  readonly isPublic: boolean;
  /** Told what became of each application, in lines. */
  readonly report: (text: string) => void;
}

/**
 * Publishes a version of each application, one after the other. Idempotent: a version that is there with the same content is left alone, and
 * a run that was interrupted anywhere is finished by the next one.
 *
 * Nothing is changed before it is known of all applications that their version is new, or the same as the published one.
 *
 * @param packaged makes the applications, once it is known that there is a bucket for them
 * @throws Error with what to do, its cause being the service's error
 */
export async function publish(
  packaged: () => Promise<readonly PackagedApplication[]>,
  destination: Destination,
  { isPublic, report }: PublishOptions,
): Promise<void> {
  if (isPublic && !publicRegions.includes(destination.region))
    throw new Error(
      `An application of ${destination.region} cannot be public: publish it to ${publicRegions.join(" or ")}, from where all regions have it.`,
    );
  // First, since its errors have names: S3 answers to HEAD with a status only.
  const found = await explained(destination, "the repository", () => applicationIds(destination));
  await explained(destination, `bucket ${destination.bucket}`, () => findBucket(destination));
  const states: State[] = [];
  for (const each of await packaged())
    states.push(await explained(destination, title(each), () => stateOf(each, found.get(each.name), destination)));
  refuseChanged(states);
  for (const [index, state] of states.entries()) {
    const { application } = state;
    const lines = await explained(destination, title(application), () => bringUp(state, destination, isPublic));
    report(
      [`${index + 1} of ${states.length}  ${title(application)}: ${lines[0]}`, ...lines.slice(1)].join("\n      "),
    );
  }
}

/** https://docs.aws.amazon.com/serverlessrepo/latest/devguide/security_iam_resource-based-policy-examples.html */
const publicRegions: readonly string[] = ["us-east-1", "us-east-2"];

const title = ({ name, version }: PackagedApplication) => `${name} ${version}`;

interface State {
  readonly application: PackagedApplication;
  /** The ARN, where the application is there in whatever version. */
  readonly id: string | undefined;
  /** The source code's address with the digest, where this version is there. */
  readonly published: string | undefined;
}

async function findBucket({ s3, bucket, region }: Destination): Promise<void> {
  const { BucketRegion: actual } = await s3.send(new HeadBucketCommand({ Bucket: bucket }));
  if (actual !== undefined && actual !== region) throw new Error(inAnotherRegion(actual, region));
}

/** The account's applications: their ARNs by name. */
async function applicationIds({ repository: client }: Destination): Promise<ReadonlyMap<string, string>> {
  const ids = new Map<string, string>();
  for await (const { Applications: page = [] } of paginateListApplications({ client }, {}))
    for (const { Name: name, ApplicationId: id } of page) if (name !== undefined && id !== undefined) ids.set(name, id);
  return ids;
}

async function stateOf(
  application: PackagedApplication,
  id: string | undefined,
  { repository }: Destination,
): Promise<State> {
  if (id === undefined) return { application, id, published: undefined };
  try {
    const { Version: version } = await repository.send(
      new GetApplicationCommand({ ApplicationId: id, SemanticVersion: application.version }),
    );
    return { application, id, published: version?.SourceCodeUrl ?? "" };
  } catch (error) {
    // The application was listed, so it is the version that is not there.
    if (error instanceof NotFoundException) return { application, id, published: undefined };
    throw error;
  }
}

function refuseChanged(states: readonly State[]): void {
  const changed = states.filter(
    ({ application, published }) => published !== undefined && published !== application.sourceCodeUrl,
  );
  if (changed.length === 0) return;
  const lines = changed.map(
    ({ application, published }) =>
      `${title(application)} is published as ${published || "nothing known"}, and this would be ${application.sourceCodeUrl}`,
  );
  throw new Error(
    `${lines.join("\n")}\nA published version does not change: \`npx changeset\` and \`npx changeset version\` make the next one. Nothing was published.`,
  );
}

/** What was done, then where the application is. */
async function bringUp(state: State, destination: Destination, isPublic: boolean): Promise<readonly string[]> {
  const { application } = state;
  const done: string[] = [];
  let { id } = state;
  if (id === undefined) {
    done.push(await upload(application, destination));
    id = await create(application, destination);
    done.push("application created");
  } else if (state.published === undefined) {
    done.push(await upload(application, destination));
    await addVersion(application, id, destination);
    done.push("version added");
  } else done.push("is there already, unchanged");
  const sharing = await share(id, destination, isPublic);
  return [[...done, sharing.text].join(", "), id, consolePage(id), ...(sharing.isPublic ? [publicPage(id)] : [])];
}

async function upload({ archive }: PackagedApplication, { s3, bucket }: Destination): Promise<string> {
  const place = { Bucket: bucket, Key: archive.key };
  // S3 checks the checksum when the object is written: one that has it is ours, whoever wrote it.
  const there = await s3.send(new HeadObjectCommand({ ...place, ChecksumMode: "ENABLED" })).catch((error: unknown) => {
    if (error instanceof S3ServiceException && error.$metadata.httpStatusCode === 404) return undefined;
    throw error;
  });
  if (there?.ChecksumSHA256 === archive.checksum) return "archive was there";
  await s3.send(
    new PutObjectCommand({
      ...place,
      Body: archive.bytes,
      ContentType: "application/zip",
      ChecksumAlgorithm: "SHA256",
      ChecksumSHA256: archive.checksum,
    }),
  );
  return `archive of ${(archive.bytes.byteLength / 1000).toFixed(1)} KB uploaded`;
}

async function create(application: PackagedApplication, { repository }: Destination): Promise<string> {
  const { name, version, template, page, license, sourceCodeUrl } = application;
  const { ApplicationId: id } = await repository.send(
    new CreateApplicationCommand({
      Name: name,
      ...page,
      ...license,
      SemanticVersion: version,
      SourceCodeUrl: sourceCodeUrl,
      TemplateBody: template,
    }),
  );
  if (id === undefined) throw new Error("the repository created it and gave no ARN: run the command again");
  return id;
}

/** The page comes before the version: once the version is there nothing is left to do. */
async function addVersion(application: PackagedApplication, id: string, { repository }: Destination): Promise<void> {
  const { version, template, page, sourceCodeUrl } = application;
  await repository.send(new UpdateApplicationCommand({ ApplicationId: id, ...page }));
  await repository.send(
    new CreateApplicationVersionCommand({
      ApplicationId: id,
      SemanticVersion: version,
      SourceCodeUrl: sourceCodeUrl,
      TemplateBody: template,
    }),
  );
}

async function share(id: string, { repository }: Destination, makePublic: boolean) {
  const statements = await policyOf(id, repository);
  if (statements.some(isForEverybody)) return { isPublic: true, text: "public" };
  if (!makePublic) return { isPublic: false, text: statements.length === 0 ? "private" : "shared with some" };
  // The call replaces the policy: those with whom the application was shared keep it.
  const everybody = { Principals: ["*"], Actions: ["Deploy"] };
  await repository.send(new PutApplicationPolicyCommand({ ApplicationId: id, Statements: [...statements, everybody] }));
  return { isPublic: true, text: "made public" };
}

async function policyOf(id: string, repository: ServerlessApplicationRepositoryClient) {
  try {
    const { Statements: statements } = await repository.send(new GetApplicationPolicyCommand({ ApplicationId: id }));
    return statements ?? [];
  } catch (error) {
    // The documentation has it for an application of which there is no statement, too.
    if (error instanceof NotFoundException) return [];
    throw error;
  }
}

/** An organisation's statement has `*` too, and its id beside it. */
const isForEverybody = ({
  Principals: principals,
  PrincipalOrgIDs: organisations,
  Actions: actions,
}: ApplicationPolicyStatement) =>
  principals?.includes("*") === true &&
  !organisations?.length &&
  actions?.some((action) => action === "Deploy" || action === "CreateCloudFormationChangeSet") === true;

const consolePage = (id: string) =>
  `https://console.aws.amazon.com/serverlessrepo/home?region=${id.split(":")[3]}#/published-applications/${id.replace("/", "~")}`;

function publicPage(id: string): string {
  const [, , , region, account, path = ""] = id.split(":");
  return `https://serverlessrepo.aws.amazon.com/applications/${region}/${account}/${path.replace("applications/", "")}`;
}

async function explained<T>(destination: Destination, what: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw new Error(`${what}: ${explain(error, destination)}`, { cause: error });
  }
}
