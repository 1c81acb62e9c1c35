import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { inspect } from "node:util";
import { deadlineOf } from "@quarterturn/core";
import { afterEach, expect, test } from "vitest";
import { type HttpRequest, httpJson } from "./http.ts";

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

async function listening(listener: RequestListener): Promise<string> {
  server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function ask(url: string, more: Partial<HttpRequest> = {}, milliseconds = 2_000) {
  const request = {
    method: "GET",
    url,
    headers: { authorization: "Bearer kept-secret" },
    as: 'the key of "app"',
  } as const;
  return httpJson({ ...request, ...more }, { deadline: deadlineOf(() => milliseconds) });
}

test("sends JSON and gives the answer's", async () => {
  const url = await listening(async (request, response) => {
    const body = (await request.toArray()).join("");
    const { authorization, connection } = request.headers;
    response.end(JSON.stringify({ method: request.method, body, authorization, connection }));
  });
  expect(await ask(url, { method: "POST", json: { a: 1 } })).toEqual({
    method: "POST",
    body: '{"a":1}',
    authorization: "Bearer kept-secret",
    connection: "close",
  });
});

test("an answer without a body and an expected status are undefined", async () => {
  const url = await listening((request, response) => response.writeHead(request.method === "GET" ? 204 : 404).end());
  expect(await ask(url)).toBeUndefined();
  expect(await ask(url, { method: "DELETE", expected: [404] })).toBeUndefined();
});

test.each([
  { status: 401, code: "credentials-rejected" },
  { status: 403, code: "privilege" },
  { status: 404, code: "service" },
  { status: 500, code: "service" },
])("status $status is $code, and the answer is not quoted", async ({ status, code }) => {
  const url = await listening((_request, response) => response.writeHead(status).end('{"key":"kept-secret"}'));
  const error = await ask(`${url}/keys?name=x`).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code, message: expect.stringContaining(`GET ${url}/keys`) });
  expect(String(error)).not.toContain("kept-secret");
});

test("a service that refuses keys with another status than 401", async () => {
  const url = await listening((request, response) => response.writeHead(request.url === "/key" ? 403 : 401).end());
  await expect(ask(`${url}/key`, { rejected: [403] })).rejects.toMatchObject({ code: "credentials-rejected" });
  await expect(ask(`${url}/other`, { rejected: [403] })).rejects.toMatchObject({ code: "service" });
});

test.each([
  { is: "no URL", url: "https://kept-secret exa mple/keys" },
  { is: "a URL with a password", url: "https://user:kept-secret@127.0.0.1:1/keys" },
  { is: "a URL with a user", url: "https://kept-secret@127.0.0.1:1/keys" },
  { is: "a URL of another scheme", url: "ftp://127.0.0.1/keys" },
  { is: "a port that fetch does not take", url: "http://127.0.0.1:22/keys" },
])("$is is the function's mistake, and not quoted", async ({ url }) => {
  const error = await ask(url).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "bad-setting", message: expect.stringContaining("URL") });
  expect(inspect(error)).not.toContain("kept-secret");
});

test.each(["kept-secret\nof two lines", "kept-secret☃"])(
  "a key that no header takes is the secret's mistake: %j",
  async (key) => {
    const error = await ask("http://127.0.0.1:1/keys", { headers: { authorization: `Bearer ${key}` } }).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ code: "bad-secret", message: expect.stringContaining('the key of "app"') });
    expect(inspect(error)).not.toContain("kept-secret");
  },
);

test("an answer that is no JSON is an error that does not quote it", async () => {
  const url = await listening((_request, response) => response.end("kept-secret"));
  const error = await ask(url).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "service" });
  expect(String(error)).not.toContain("kept-secret");
});

test("no redirect is followed", async () => {
  const seen: (string | undefined)[] = [];
  const url = await listening((request, response) => {
    seen.push(request.url);
    response.writeHead(307, { location: "/elsewhere" }).end();
  });
  await expect(ask(`${url}/here`)).rejects.toMatchObject({ code: "service", message: expect.stringContaining("307") });
  expect(seen).toEqual(["/here"]);
});

test("no answer within half of the time that is left is a timeout", async () => {
  const url = await listening(() => undefined);
  const started = performance.now();
  await expect(ask(url, {}, 400)).rejects.toMatchObject({ code: "timeout" });
  expect(performance.now() - started).toBeLessThan(400);
});

test("a closed port is unreachable", async () => {
  const url = await listening(() => undefined);
  server?.close();
  await expect(ask(url)).rejects.toMatchObject({
    code: "unreachable",
    message: expect.stringContaining("ECONNREFUSED"),
  });
});

test("a server that speaks no TLS is an error of TLS", async () => {
  const plain = createTcpServer((socket) => socket.on("error", () => undefined).end("no TLS here\n")).listen(
    0,
    "127.0.0.1",
  );
  await once(plain, "listening");
  try {
    await expect(ask(`https://127.0.0.1:${(plain.address() as AddressInfo).port}`)).rejects.toMatchObject({
      code: "tls",
    });
  } finally {
    plain.close();
  }
});
