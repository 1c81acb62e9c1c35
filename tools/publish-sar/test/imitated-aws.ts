import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import {
  type BucketLocationConstraint,
  CreateBucketCommand,
  PutBucketPolicyCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { judgesEnvironment } from "@quarterturn-tools/sam/judges";
import { bucketPolicy } from "../src/permissions.ts";
import { type Answer, account, type ImitatedRepository, imitatedRepository } from "./imitated-repository.ts";
import { serviceModel } from "./service-model.ts";

/** An AWS for publishing, at one address: moto's S3, and an imitation of the Serverless Application Repository beside it. */
export interface ImitatedAws extends AsyncDisposable {
  /** For a process that publishes there: addresses, region and credentials, and nothing of the machine's own. */
  readonly env: Readonly<Record<string, string>>;
  readonly repository: ImitatedRepository;
  /** Every call, by the SDK's names. */
  readonly calls: Call[];
  /** Called when a call has changed something, before it is answered. */
  onEffect: (operation: string) => void;
  /** Answers a call in the place of the services. */
  intercept: (operation: string) => Answer | undefined;
  /** Makes a bucket that the repository may read, or not. */
  makeBucket(name: string, options?: { readonly place?: string; readonly isReadable?: boolean }): Promise<void>;
}

interface Call {
  readonly service: "s3" | "serverlessrepo";
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
}

export const region = "us-east-1";

export async function startImitatedAws(): Promise<ImitatedAws> {
  const moto = await startMoto();
  const repository = imitatedRepository(await serviceModel(), region, (bucket, key) =>
    readForService(moto.url, bucket, key),
  );
  const server = createServer((request, response) => {
    serve(aws, moto.url, request, response).catch((error: Error) => response.writeHead(599).end(error.stack));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const env = {
    AWS_ENDPOINT_URL: url,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_MAX_ATTEMPTS: "2",
    HOME: "/nonexistent",
  };
  const aws: ImitatedAws = {
    env,
    repository,
    calls: [],
    onEffect: () => undefined,
    intercept: () => undefined,
    async makeBucket(Bucket, { place = region, isReadable = true } = {}) {
      const s3 = new S3Client({ region: place, endpoint: moto.url });
      const LocationConstraint = place as BucketLocationConstraint;
      const elsewhere = place === region ? {} : { CreateBucketConfiguration: { LocationConstraint } };
      await s3.send(new CreateBucketCommand({ Bucket, ...elsewhere }));
      const Policy = bucketPolicy(Bucket).replace("ACCOUNT", account);
      if (isReadable) await s3.send(new PutBucketPolicyCommand({ Bucket, Policy }));
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await moto[Symbol.asyncDispose]();
    },
  };
  return aws;
}

async function serve(
  aws: ImitatedAws,
  moto: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  const url = new URL(request.url ?? "/", "http://aws");
  const method = request.method ?? "";
  const isS3 = !url.pathname.startsWith("/applications");
  const call = isS3 ? s3Call(method, url, request, body) : undefined;
  const intercepted = aws.intercept(call?.operation ?? `${method} ${url.pathname}`);
  if (intercepted) return call ? sendAsS3(response, method, intercepted) : send(response, intercepted);
  if (call) {
    aws.calls.push(call);
    const answer = await fetch(moto + request.url, {
      method,
      headers: forwarded(request),
      ...(method === "PUT" ? { body } : {}),
    });
    const bytes = Buffer.from(await answer.arrayBuffer());
    if (method === "PUT") aws.onEffect(call.operation);
    response.writeHead(answer.status, [...answer.headers].filter(([name]) => !hopByHop.test(name)).flat()).end(bytes);
    return;
  }
  const { operation, input, ...answer } = await aws.repository.answer(method, url, body.toString());
  aws.calls.push({ service: "serverlessrepo", operation, input: { ...input } });
  if (method !== "GET" && answer.error === undefined) aws.onEffect(operation);
  send(response, answer);
}

function send(response: ServerResponse, { status, body, error, headers: more }: Answer): void {
  const headers = { "content-type": "application/json", ...(error ? { "x-amzn-errortype": error } : {}), ...more };
  response.writeHead(status, headers).end(JSON.stringify(body));
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html: the answer to HEAD has no body, and so no error's name. */
function sendAsS3(response: ServerResponse, method: string, { status, body, error, headers }: Answer): void {
  response.writeHead(status, { "content-type": "application/xml", ...headers });
  const { message } = body as { message?: string };
  if (method === "HEAD") response.end();
  else response.end(`<Error><Code>${error}</Code><Message>${message}</Message></Error>`);
}

/** Only the three calls that publishing makes. */
function s3Call(method: string, url: URL, { headers }: IncomingMessage, body: Buffer): Call {
  const [, bucket = "", ...key] = url.pathname.split("/");
  const Key = key.join("/");
  const operation = method === "PUT" ? "PutObject" : Key === "" ? "HeadBucket" : "HeadObject";
  const isPut = method === "PUT";
  const sent = {
    Bucket: bucket,
    Key: Key || undefined,
    Body: isPut ? body : undefined,
    ContentType: isPut ? headers["content-type"] : undefined,
    ChecksumAlgorithm: headers["x-amz-sdk-checksum-algorithm"],
    ChecksumSHA256: headers["x-amz-checksum-sha256"],
    ChecksumMode: headers["x-amz-checksum-mode"],
  };
  return { service: "s3", operation, input: sent };
}

const hopByHop = /^(connection|keep-alive|transfer-encoding|content-length|host|expect|upgrade)$/i;

const forwarded = ({ headers }: IncomingMessage) =>
  Object.entries(headers).flatMap(([name, value]): [string, string][] =>
    hopByHop.test(name) || value === undefined ? [] : [[name, String(value)]],
  );

/** moto does not look at policies: this does, for the one principal. */
async function readForService(moto: string, bucket: string, key: string): Promise<Buffer | undefined> {
  const policy = await fetch(`${moto}/${bucket}?policy`);
  if (!policy.ok) return undefined;
  const { Statement: statements } = (await policy.json()) as { Statement: readonly BucketStatement[] };
  const isAllowed = statements.some(
    ({ Principal, Action, Resource, Condition }) =>
      Principal.Service === "serverlessrepo.amazonaws.com" &&
      Action === "s3:GetObject" &&
      `arn:aws:s3:::${bucket}/${key}`.startsWith(Resource.replace(/\*$/, "")) &&
      Condition.StringEquals["aws:SourceAccount"] === account,
  );
  const object = isAllowed ? await fetch(`${moto}/${bucket}/${key}`) : undefined;
  return object?.ok ? Buffer.from(await object.arrayBuffer()) : undefined;
}

interface BucketStatement {
  readonly Principal: { readonly Service: string };
  readonly Action: string;
  readonly Resource: string;
  readonly Condition: { readonly StringEquals: Readonly<Record<string, string>> };
}

async function startMoto(): Promise<{ readonly url: string } & AsyncDisposable> {
  const moto = spawn("moto_server", ["-H", "127.0.0.1", "-p", "0"], {
    env: { ...(await judgesEnvironment()), PYTHONUNBUFFERED: "1" },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const exited = once(moto, "exit");
  let said = "";
  const started = new Promise<string>((resolve, reject) => {
    // Read to the end: a server whose log nobody reads stops when the pipe is full.
    moto.stderr.on("data", (chunk) => {
      said += chunk;
      const url = /Running on (http:\/\/127\.0\.0\.1:\d+)/.exec(said)?.[1];
      if (url !== undefined) resolve(url);
    });
    moto.once("error", reject);
    moto.once("exit", () => reject(new Error(`moto did not start: ${said}`)));
  });
  return {
    url: await started,
    async [Symbol.asyncDispose]() {
      moto.kill();
      await exited;
    },
  };
}
