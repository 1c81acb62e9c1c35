import { randomUUID } from "node:crypto";
import { parse, stringify } from "yaml";
import type { ServiceModel } from "./service-model.ts";

/**
 * An imitation of the Serverless Application Repository, for tests: what the documentation says of publishing. It refuses what the service's own
 * model does not know, copies the code out of the bucket and writes its own place for it into the template, as the service does. What the
 * service really checks in a template, and how fast a list is up to date, is not in it.
 */
export interface ImitatedRepository {
  readonly applications: Map<string, ImitatedApplication>;
  /** The answer to a request. */
  answer(
    method: string,
    url: URL,
    body: string,
  ): Promise<Answer & { readonly operation: string; readonly input: object }>;
}

export interface Answer {
  readonly status: number;
  readonly body: object;
  /** The error's type, as the header has it. */
  readonly error?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

interface ImitatedApplication {
  page: Readonly<Record<string, unknown>>;
  readonly versions: Map<string, { readonly sourceCodeUrl: string; readonly template: string; readonly code: Buffer }>;
  statements: readonly Statement[];
}

interface Statement {
  readonly StatementId?: string;
  readonly Principals: readonly string[];
  readonly Actions: readonly string[];
}

export const account = "123456789012";

/** What the repository sees of S3: an object, where the bucket's policy lets its principal read it. */
export type ReadForService = (bucket: string, key: string) => Promise<Buffer | undefined>;

export function imitatedRepository(
  model: ServiceModel,
  region: string,
  readForService: ReadForService,
): ImitatedRepository {
  const applications = new Map<string, ImitatedApplication>();
  const prefix = `arn:aws:serverlessrepo:${region}:${account}:applications/`;
  const found = (id: unknown) =>
    applications.get(String(id).replace(prefix, "")) ?? refuse(404, "NotFoundException", `Application ${id} not found`);

  const versionFrom = async (input: Input) => {
    if (!semanticVersion.test(String(input.SemanticVersion)))
      refuse(400, "BadRequestException", `${input.SemanticVersion} is not a semantic version`);
    const template = parse(String(input.TemplateBody));
    const resource = Object.values<Resource>(template.Resources).find(
      ({ Type }) => Type === "AWS::Serverless::Function",
    );
    const [, bucket = "", key = ""] = /^s3:\/\/([^/]+)\/(.+)$/.exec(String(resource?.Properties.CodeUri)) ?? [];
    if (resource === undefined || key === "") return refuse(400, "BadRequestException", "Invalid S3 URI");
    const code = await readForService(bucket, key);
    if (code === undefined)
      return refuse(
        400,
        "BadRequestException",
        `Failed to copy S3 object. Access denied: bucket=${bucket}, key=${key}`,
      );
    resource.Properties.CodeUri = { Bucket: "awsserverlessrepo-changesets-imitated", Key: randomUUID() };
    return { sourceCodeUrl: String(input.SourceCodeUrl ?? ""), template: stringify(template), code };
  };

  const operations: Readonly<Record<string, (input: Input) => Promise<Answer> | Answer>> = {
    ListApplications: ({ NextToken: token }) => {
      // Small pages, so that whoever reads one only misses some.
      const names = [...applications.keys()];
      const from = Number(token ?? 0);
      const page = names.slice(from, from + 3).map((name) => ({ name, applicationId: prefix + name }));
      return {
        status: 200,
        body: { applications: page, ...(from + 3 < names.length ? { nextToken: String(from + 3) } : {}) },
      };
    },
    CreateApplication: async (input) => {
      const { Name: name, SemanticVersion: version, TemplateBody: _template, SourceCodeUrl: _url, ...page } = input;
      if (applications.has(String(name)))
        refuse(409, "ConflictException", `Application with name ${name} already exists`);
      const versions = new Map([[String(version), await versionFrom(input)]]);
      applications.set(String(name), { page, versions, statements: [] });
      return { status: 201, body: { applicationId: prefix + name, name } };
    },
    UpdateApplication: ({ ApplicationId: id, ...page }) => {
      const application = found(id);
      application.page = { ...application.page, ...page };
      return { status: 200, body: { applicationId: id } };
    },
    CreateApplicationVersion: async (input) => {
      const { ApplicationId: id, SemanticVersion: version } = input;
      const { versions } = found(id);
      if (versions.has(String(version)))
        refuse(409, "ConflictException", `Application version ${version} for ${id} already exists`);
      versions.set(String(version), await versionFrom(input));
      return { status: 201, body: { applicationId: id, semanticVersion: version } };
    },
    GetApplication: ({ ApplicationId: id, SemanticVersion: semanticVersion }) => {
      const version = found(id).versions.get(String(semanticVersion));
      if (version === undefined) return refuse(404, "NotFoundException", `No version ${semanticVersion} of ${id}`);
      const { sourceCodeUrl } = version;
      return { status: 200, body: { applicationId: id, version: { semanticVersion, sourceCodeUrl } } };
    },
    GetApplicationPolicy: ({ ApplicationId: id }) => ({
      status: 200,
      body: { statements: found(id).statements.map((each) => model.toWire("ApplicationPolicyStatement", each)) },
    }),
    PutApplicationPolicy: ({ ApplicationId: id, Statements: statements }) => {
      const application = found(id);
      refusePolicy(statements as readonly Statement[], application, region);
      application.statements = (statements as readonly Statement[]).map((each) => ({
        StatementId: randomUUID(),
        ...each,
      }));
      return { status: 200, body: {} };
    },
  };

  return {
    applications,
    async answer(method, url, body) {
      let operation = "";
      let input: Input = {};
      try {
        ({ operation, input } = modelled(() => model.request(method, url, body)));
        const act = operations[operation] ?? refuse(501, "NotImitated", operation);
        return { operation, input, ...(await act(input)) };
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        return { operation, input, status: error.status, error: error.type, body: { message: error.message } };
      }
    },
  };
}

/** https://docs.aws.amazon.com/serverlessrepo/latest/devguide/access-control-resource-based.html, and .../quotas.html for the length */
function refusePolicy(statements: readonly Statement[], application: ImitatedApplication, region: string): void {
  const actions =
    /^(GetApplication|CreateCloudFormation(ChangeSet|Template)|ListApplication(Versions|Dependencies)|SearchApplications|UnshareApplication|Deploy)$/;
  for (const { Principals: principals, Actions } of statements) {
    if (!principals.every((each) => /^(\*|\d{12})$/.test(each)))
      refuse(400, "BadRequestException", "Invalid principal");
    if (!Actions.every((each) => actions.test(each))) refuse(400, "BadRequestException", "Invalid action");
  }
  if (JSON.stringify(statements).length > 6_144) refuse(400, "BadRequestException", "The policy is too long");
  if (!statements.some(({ Principals: principals }) => principals.includes("*"))) return;
  if (region !== "us-east-1" && region !== "us-east-2")
    refuse(400, "BadRequestException", "No public applications here");
  if (!application.page.LicenseBody) refuse(400, "BadRequestException", "A public application needs a licence");
  if (![...application.versions.values()].some(({ sourceCodeUrl }) => sourceCodeUrl))
    refuse(400, "BadRequestException", "A public application needs a version with a source code URL");
}

/** semver.org's, for releases without a suffix. */
const semanticVersion = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$/;

function modelled<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    return refuse(400, "BadRequestException", (error as Error).message);
  }
}

class Refusal extends Error {
  readonly status: number;
  readonly type: string;
  constructor(status: number, type: string, message: string) {
    super(message);
    this.status = status;
    this.type = type;
  }
}

function refuse(status: number, type: string, message: string): never {
  throw new Refusal(status, type, message);
}

type Input = Readonly<Record<string, unknown>>;

interface Resource {
  readonly Type: string;
  readonly Properties: { CodeUri: unknown };
}
