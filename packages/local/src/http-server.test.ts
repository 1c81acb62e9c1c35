import { once } from "node:events";
import { request } from "node:http";
import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import { start, token } from "../test/endpoint.ts";
import { startLocal } from "./index.ts";

interface Answer {
  readonly status: number | undefined;
  readonly body: { __type?: string; message?: string; Message?: string };
}

const HEADERS = { "content-type": "application/x-amz-json-1.1", "x-amz-target": "secretsmanager.ListSecrets" };

/** A request with exactly these headers, Host included. */
async function send(
  url: string,
  headers: Record<string, string>,
  body: string | Buffer = "{}",
  { method = "POST", path = "/" } = {},
): Promise<Answer> {
  const { port, host } = new URL(url);
  const sent = request({
    host: "127.0.0.1",
    port,
    method,
    path,
    headers: { host, "content-length": Buffer.byteLength(body), ...headers },
  });
  const answered = once(sent, "response");
  // An answer may come before the body is sent: the endpoint must not be closed over what is still on its way.
  const closed = once(sent, "close");
  sent.end(body);
  const [response] = await answered;
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  await closed;
  return { status: response.statusCode, body: JSON.parse(Buffer.concat(chunks).toString()) };
}

async function sendBytes(url: string, bytes: string): Promise<{ head: string; body: unknown }> {
  const socket = connect({ host: "127.0.0.1", port: Number(new URL(url).port) });
  socket.write(bytes);
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk);
  const [head = "", body = ""] = Buffer.concat(chunks).toString().split("\r\n\r\n");
  return { head, body: JSON.parse(body) };
}

const call = (url: string, operation: string, body: string | Buffer) =>
  send(url, { ...HEADERS, "x-amz-target": `secretsmanager.${operation}` }, body);

describe("a web page cannot reach the endpoint", () => {
  it.each([
    ["a foreign Host (DNS rebinding)", { host: "attacker.example" }, "AccessDeniedException"],
    ["a Host that only begins like loopback", { host: "127.0.0.1.attacker.example" }, "AccessDeniedException"],
    ["a Host that hides loopback in a user name", { host: "localhost:1@attacker.example" }, "AccessDeniedException"],
    ["an Origin", { origin: "http://attacker.example" }, "AccessDeniedException"],
    ["the Origin null", { origin: "null" }, "AccessDeniedException"],
    ["an Origin on loopback", { origin: "http://127.0.0.1" }, "AccessDeniedException"],
    ["a form's content type", { "content-type": "text/plain" }, "SerializationException"],
    ["JSON's usual content type", { "content-type": "application/json" }, "SerializationException"],
    ["no content type", { "content-type": "" }, "SerializationException"],
  ])("with %s", async (_what, headers, code) => {
    const { local } = await start();
    expect(await send(local.url, { ...HEADERS, ...headers })).toMatchObject({ status: 400, body: { __type: code } });
    expect(local.events).toEqual([]);
  });

  it.each(["localhost", "LOCALHOST:80", "127.0.0.1:4566", "[::1]:1"])("but Host %s is loopback", async (host) => {
    const { local } = await start();
    expect(await send(local.url, { ...HEADERS, host })).toMatchObject({ status: 200 });
  });

  it.each(["", "Host: \r\n", "Host: attacker.example\r\nHost: localhost\r\n"])(
    "with the Host line %j",
    async (host) => {
      const { local } = await start();
      const lines = Object.entries(HEADERS).map(([name, value]) => `${name}: ${value}\r\n`);
      const sent = `POST / HTTP/1.1\r\n${host}${lines.join("")}connection: close\r\ncontent-length: 2\r\n\r\n{}`;
      const { head, body } = await sendBytes(local.url, sent);
      expect(head).toMatch(/^HTTP\/1\.1 400 /);
      expect(body).toMatchObject({ __type: expect.stringMatching(/^(AccessDenied|Serialization)Exception$/) });
    },
  );

  it("listens on 127.0.0.1 only", async () => {
    const { local } = await start();
    const elsewhere = connect({ host: "127.0.0.2", port: Number(new URL(local.url).port) });
    await expect(once(elsewhere, "connect")).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });
});

describe("what is not an operation", () => {
  it.each<[string, { target?: string; method?: string; path?: string }]>([
    ["an unknown one", { target: "secretsmanager.DropEverything" }],
    ["a name of every object", { target: "secretsmanager.constructor" }],
    ["another service's", { target: "DynamoDB_20120810.ListTables" }],
    ["none", { target: "" }],
    ["a GET", { method: "GET" }],
    ["another path", { path: "/2015-03-31/functions/f/invocations" }],
  ])("%s: UnknownOperationException", async (_what, { target = "secretsmanager.ListSecrets", ...where }) => {
    const { local } = await start();
    expect(await send(local.url, { ...HEADERS, "x-amz-target": target }, "{}", where)).toMatchObject({
      status: 400,
      body: { __type: "UnknownOperationException" },
    });
  });

  it.each([
    ["Lambda", { path: "/2015-03-31/functions/f/configuration", method: "GET" }, ""],
    ["CloudWatch Logs", {}, "Logs_20140328.FilterLogEvents"],
  ])("one of %s: it says that this service is not here", async (name, where, target) => {
    const { local } = await start();
    const { body } = await send(local.url, { ...HEADERS, "x-amz-target": target }, "{}", where);
    expect(body).toMatchObject({
      message: `This endpoint on your own machine is Secrets Manager alone: it has no ${name}.`,
    });
  });
});

describe("a body that cannot be read", () => {
  it.each([
    ["not JSON", "{"],
    ["not UTF-8", Buffer.from('{"SecretId":"\xff"}', "latin1")],
    ["a number", "1"],
    ["a list", "[]"],
    ["a wrong type", '{"SecretId": 5}'],
    ["a wrong type inside", '{"SecretId": "a", "VersionStage": ["x"]}'],
    ["very deep", `{"SecretId": ${"[".repeat(200_000)}${"]".repeat(200_000)}}`],
  ])("%s: SerializationException", async (_what, body) => {
    const { local } = await start();
    const answer = await call(local.url, "GetSecretValue", body);
    expect(answer).toMatchObject({ status: 400, body: { __type: "SerializationException" } });
    expect(answer.body.message).toEqual(expect.any(String));
  });

  it.each(["SecretBinary", "SecretString"])("%s of a wrong type: not repeated in the error", async (member) => {
    const { local } = await start();
    const body = JSON.stringify({ SecretId: "a", ClientRequestToken: token("1"), [member]: ["s3cr3t"] });
    const answer = await call(local.url, "PutSecretValue", body);
    expect(answer.body.__type).toBe("SerializationException");
    expect(JSON.stringify(answer)).not.toContain("s3cr3t");
  });

  it.each([1_048_577, 8_388_608])(
    "%i bytes: RequestEntityTooLargeException, and the endpoint goes on",
    async (size) => {
      const { local } = await start();
      expect(await call(local.url, "ListSecrets", Buffer.alloc(size, " "))).toMatchObject({
        status: 413,
        body: { __type: "RequestEntityTooLargeException" },
      });
      expect(await call(local.url, "ListSecrets", "{}")).toMatchObject({ status: 200 });
    },
  );

  it.each(["\x16\x03\x01 hello\r\n\r\n", "CONNECT localhost:22 HTTP/1.1\r\nhost: localhost\r\n\r\n"])(
    "not HTTP that it understands, %j: an answer in the service's shape",
    async (bytes) => {
      const { local } = await start();
      const { head, body } = await sendBytes(local.url, bytes);
      expect(head).toMatch(/^HTTP\/1\.1 400 /);
      expect(body).toMatchObject({ __type: "SerializationException" });
    },
  );
});

it("a client that resets its connection after a request that was refused ends nothing", async () => {
  const { local } = await start();
  const socket = connect({ host: "127.0.0.1", port: Number(new URL(local.url).port) });
  socket.write("CONNECT localhost:22 HTTP/1.1\r\nhost: localhost\r\n\r\n");
  await once(socket, "data");
  socket.resetAndDestroy();
  await once(socket, "close");
  expect(await call(local.url, "ListSecrets", "{}")).toMatchObject({ status: 200 });
});

it("an Expect header that nobody knows does not matter", async () => {
  const { local } = await start();
  expect(await send(local.url, { ...HEADERS, expect: "tea" })).toMatchObject({ status: 200 });
});

describe("input outside the API's limits", () => {
  it.each([
    ["GetSecretValue", {}, "Value null at 'secretId' failed to satisfy constraint: Member must not be null"],
    [
      "GetSecretValue",
      { SecretId: null },
      "Value null at 'secretId' failed to satisfy constraint: Member must not be null",
    ],
    [
      "GetSecretValue",
      { SecretId: "" },
      "Value '' at 'secretId' failed to satisfy constraint: Member must have length greater than or equal to 1",
    ],
    [
      "GetSecretValue",
      { SecretId: "a", VersionId: "short" },
      "Value 'short' at 'versionId' failed to satisfy constraint: Member must have length greater than or equal to 32",
    ],
    [
      "ListSecrets",
      { MaxResults: 101 },
      "Value '101' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 100",
    ],
    [
      "ListSecrets",
      { SortOrder: "up" },
      "Value 'up' at 'sortOrder' failed to satisfy constraint: Member must satisfy enum value set: [asc, desc]",
    ],
    [
      "CreateSecret",
      { Name: "a", Tags: [{ Key: "", Value: "v" }] },
      "Value '' at 'tags.1.member.key' failed to satisfy constraint: Member must have length greater than or equal to 1",
    ],
    [
      "PutSecretValue",
      { SecretId: "a", SecretString: "s", RotationToken: "not-36-characters-long" },
      "Value at 'rotationToken' failed to satisfy constraint: Member must have length greater than or equal to 36",
    ],
    [
      "RotateSecret",
      { SecretId: "a", RotationRules: { Duration: "3d" } },
      "Value '3d' at 'rotationRules.duration' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[0-9]+h$",
    ],
  ])("%s %j: ValidationException", async (operation, input, detail) => {
    const { local } = await start();
    expect(await call(local.url, operation, JSON.stringify(input))).toEqual({
      status: 400,
      body: { __type: "ValidationException", message: `1 validation error detected: ${detail}` },
    });
  });

  it("is listed as a whole", async () => {
    const { local } = await start();
    const answer = await call(local.url, "PutSecretValue", '{"SecretId":"","ClientRequestToken":"x"}');
    expect(answer.body.message).toMatch(
      /^2 validation errors detected: Value '' at 'secretId'.*; Value 'x' at 'client/,
    );
  });

  it("takes a null member for an absent one, and ignores unknown ones", async () => {
    const { local } = await start();
    const body = JSON.stringify({ MaxResults: null, Future: { x: 1 } });
    expect(await call(local.url, "ListSecrets", body)).toEqual({ status: 200, body: { SecretList: [] } });
  });
});

it.each([
  ["CreateSecret", { Name: "a" }, "InvalidRequestException"],
  ["UpdateSecret", { SecretId: "a" }, "InvalidRequestException"],
  ["PutSecretValue", { SecretId: "a" }, "InvalidRequestException"],
  ["RotateSecret", { SecretId: "a" }, "InvalidParameterException"],
])("%s without a ClientRequestToken, which only the SDKs fill in: %s", async (operation, input, code) => {
  const { local } = await start();
  expect(await call(local.url, operation, JSON.stringify(input))).toEqual({
    status: 400,
    body: {
      __type: code,
      Message: "You must provide a ClientRequestToken value. We recommend a UUID-type value.",
    },
  });
});

it("a port that is taken is an error at the start", async () => {
  const { local } = await start();
  await expect(startLocal({ port: Number(new URL(local.url).port) })).rejects.toMatchObject({ code: "EADDRINUSE" });
});
