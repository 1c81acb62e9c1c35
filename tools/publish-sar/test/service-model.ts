import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { judge } from "@quarterturn-tools/sam/judges";

/** A request as the service's own model has it: the operation, and its input by the SDK's names. */
interface ModelledRequest {
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
}

export interface ServiceModel {
  /** @throws Error that says what of the request the model does not know, or what limit it breaks */
  request(method: string, url: URL, body: string): ModelledRequest;
  /** A member's name on the wire, e.g. `applicationId` for `ApplicationId`. */
  toWire(shape: string, value: object): object;
}

/**
 * The Serverless Application Repository as AWS describes it to its own SDKs: the model that botocore holds. It has the names, types and required
 * members; the limits stand in its sentences, in a form that is the same everywhere, and are taken from there.
 */
export async function serviceModel(): Promise<ServiceModel> {
  const program = "import botocore; print(botocore.__path__[0])";
  const botocore = (await judge("python", ["-c", program])).trim();
  const file = join(botocore, "data/serverlessrepo/2017-09-08/service-2.json.gz");
  const { operations, shapes }: Model = JSON.parse(gunzipSync(await readFile(file)).toString());
  const shapeOf = (name: string) => shapes[name] ?? fail(`the model has no shape ${name}`);

  const read = (name: string, member: Member, value: unknown): unknown => {
    const { type, members, required = [], member: item } = shapeOf(member.shape);
    if (type === "structure") {
      const given = value as Record<string, unknown>;
      const known = Object.entries(members ?? {}).map(([key, each]) => [key, each, each.locationName ?? key] as const);
      for (const key of Object.keys(given))
        if (!known.some(([, , wire]) => wire === key)) fail(`${name} has an unknown member ${key}`);
      for (const key of required)
        if (!known.some(([each, , wire]) => each === key && wire in given)) fail(`${name} has no ${key}`);
      const present = known.filter(([, , wire]) => wire in given);
      return Object.fromEntries(present.map(([key, each, wire]) => [key, read(key, each, given[wire])]));
    }
    if (type === "list") {
      if (!Array.isArray(value)) fail(`${name} is not a list`);
      const most = /Maximum number of \w+: (\d+)/.exec(member.documentation ?? "")?.[1];
      if (most !== undefined && (value as unknown[]).length > Number(most)) fail(`${name} has more than ${most}`);
      const each = { ...member, ...item } as Member;
      return (value as unknown[]).map((one) => read(name, each, one));
    }
    if (typeof value !== type) fail(`${name} is not a ${type}`);
    if (typeof value === "string") keepsLimits(name, member.documentation ?? "", value);
    return value;
  };

  return {
    request(method, url, body) {
      for (const [operation, { http, input }] of Object.entries(operations)) {
        const labels = http.method === method && matchPath(http.requestUri, url.pathname);
        if (!labels) continue;
        const given = { ...labels, ...Object.fromEntries(url.searchParams), ...(body === "" ? {} : JSON.parse(body)) };
        const read_ = read(operation, { shape: input.shape }, given) as Record<string, unknown>;
        for (const [name, { documentation = "" }] of Object.entries(shapeOf(input.shape).members ?? {}))
          refuseBoth(name, documentation, given);
        return { operation, input: read_ };
      }
      return fail(`there is no operation ${method} ${url.pathname}`);
    },
    toWire: (shape, value) =>
      Object.fromEntries(
        Object.entries(value).map(([key, each]) => [shapeOf(shape).members?.[key]?.locationName ?? fail(key), each]),
      ),
  };
}

function keepsLimits(name: string, documentation: string, value: string): void {
  const number = (pattern: RegExp) => Number(pattern.exec(documentation)?.[1] ?? Number.NaN);
  if (value.length < number(/Minimum length=(\d+)/)) fail(`${name} is too short`);
  if (value.length > number(/Maximum length=(\d+)/)) fail(`${name} is too long`);
  if (Buffer.byteLength(value) > number(/Maximum size (\d+) MB/) * 1_000_000) fail(`${name} is too large`);
  const pattern = /Pattern:? "(.*)"/.exec(documentation)?.[1]?.replaceAll("\\\\", "\\");
  if (pattern !== undefined && !new RegExp(`^(?:${pattern})$`).test(value)) fail(`${name} does not match ${pattern}`);
}

function refuseBoth(name: string, documentation: string, given: Readonly<Record<string, unknown>>): void {
  const [, one = "", other = ""] = /You can specify only one of (\w+) and (\w+);/.exec(documentation) ?? [];
  if (one in given && other in given) fail(`${name}: both ${one} and ${other}`);
}

/** The labels of a path, by name, where it matches. */
function matchPath(pattern: string, path: string): Readonly<Record<string, string>> | undefined {
  const expected = pattern.split("/");
  const parts = path.split("/");
  if (expected.length !== parts.length) return undefined;
  const labels: Record<string, string> = {};
  for (const [index, part] of expected.entries()) {
    const label = /^\{(\w+)\}$/.exec(part)?.[1];
    const actual = parts[index] ?? "";
    if (label !== undefined) labels[label] = decodeURIComponent(actual);
    else if (part !== actual) return undefined;
  }
  return labels;
}

function fail(message: string): never {
  throw new Error(message);
}

interface Member {
  readonly shape: string;
  readonly locationName?: string;
  readonly documentation?: string;
}

interface Model {
  readonly operations: Readonly<Record<string, { http: { method: string; requestUri: string }; input: Member }>>;
  readonly shapes: Readonly<Record<string, Shape>>;
}

interface Shape {
  readonly type: string;
  readonly required?: readonly string[];
  readonly members?: Readonly<Record<string, Member>>;
  readonly member?: Member;
}
