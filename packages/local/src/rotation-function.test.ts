import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished, vi } from "vitest";
import { start } from "../test/endpoint.ts";
import type { RotationEvent } from "./index.ts";
import { invoke } from "./rotation-function.ts";

const ARN = "arn:aws:lambda:us-east-1:000000000000:function:f";
const EVENT: RotationEvent = { Step: "createSecret", SecretId: "arn", ClientRequestToken: "v", RotationToken: "t" };

async function invokeEndpoint(answer: (response: ServerResponse, body: string, request: IncomingMessage) => void) {
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    answer(response, body, request);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/2015-03-31/functions/f/invocations`);
}

it("posts the event as JSON to a Lambda Invoke URL", async () => {
  const received: unknown[] = [];
  const url = await invokeEndpoint((response, body, { method, url: path, headers }) => {
    received.push({ method, path, type: headers["content-type"], body: JSON.parse(body) });
    response.end("null");
  });
  expect(await invoke(url, ARN, EVENT)).toEqual({ succeeded: true });
  expect(received).toEqual([
    { method: "POST", path: "/2015-03-31/functions/f/invocations", type: "application/json", body: EVENT },
  ]);
});

it.each([
  [200, { "x-amz-function-error": "Unhandled" }, '{"errorType":"ValueError","errorMessage":"no"}', "ValueError", "no"],
  [200, { "x-amz-function-error": "Unhandled" }, "not JSON", "Error", "not JSON"],
  [500, {}, "", "InvokeFailed", "The function's URL answered with HTTP status 500."],
])("an answer %i %j %s is a failed step", async (status, headers, body, errorType, errorMessage) => {
  const url = await invokeEndpoint((response) => response.writeHead(status, headers).end(body));
  expect(await invoke(url, ARN, EVENT)).toEqual({ succeeded: false, errorType, errorMessage });
});

it("a redirection is a failed step: the event goes to no other place", async () => {
  const elsewhere = await invokeEndpoint((response) => response.end("null"));
  const url = await invokeEndpoint((response) => response.writeHead(307, { location: elsewhere.href }).end());
  expect(await invoke(url, ARN, EVENT)).toMatchObject({ succeeded: false });
});

it("a URL where nobody listens is a failed step that says so", async () => {
  const url = await invokeEndpoint((response) => response.destroy());
  expect(await invoke(url, ARN, EVENT)).toMatchObject({
    succeeded: false,
    errorMessage: expect.stringMatching(/fetch failed: ./),
  });
});

it.each([
  ["throws", () => Promise.reject(new RangeError("no")), "RangeError", "no"],
  ["throws no Error", () => Promise.reject("no"), "string", "no"],
  [
    "throws before it is asynchronous",
    () => {
      throw new Error("at once");
    },
    "Error",
    "at once",
  ],
])("a handler that %s is a failed step", async (_how, handler, errorType, errorMessage) => {
  expect(await invoke(handler, ARN, EVENT)).toEqual({ succeeded: false, errorType, errorMessage });
});

it("a handler in this process gets what a rotation function uses of Lambda's context, and 30 seconds", async () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  const remaining: number[] = [];
  await invoke(
    async (_event, context) => {
      remaining.push(context.getRemainingTimeInMillis());
      vi.advanceTimersByTime(10_000);
      remaining.push(context.getRemainingTimeInMillis());
      vi.advanceTimersByTime(30_000);
      remaining.push(context.getRemainingTimeInMillis());
      expect(context).toMatchObject({ functionName: "f", invokedFunctionArn: ARN, awsRequestId: expect.any(String) });
    },
    ARN,
    EVENT,
  );
  expect(remaining).toEqual([30_000, 20_000, 0]);
});

it("a handler that does not answer in time is a failed step", async () => {
  const never = () => new Promise(() => undefined);
  expect(await invoke(never, ARN, EVENT, 20)).toEqual({
    succeeded: false,
    errorType: "Sandbox.Timedout",
    errorMessage: "Task timed out after 0.02 seconds",
  });
});

it("a rotation runs through a Lambda Invoke URL", async () => {
  const steps: string[] = [];
  const url = await invokeEndpoint((response, body) => {
    steps.push(JSON.parse(body).Step);
    response.writeHead(200, { "x-amz-function-error": "Unhandled" }).end('{"errorType":"E","errorMessage":"m"}');
  });
  const { local, sm } = await start({ functions: { f: url }, rotationRetry: { attempts: 1, delayMs: 1 } });
  await sm.createSecret({ Name: "a", SecretString: "s" });
  await sm.rotateSecret({ SecretId: "a", RotationLambdaARN: "f" });
  await local.settled();
  expect(steps).toEqual(["createSecret", "createSecret"]);
  expect(local.events.at(-1)).toMatchObject({ name: "RotationFailed", message: "createSecret: E: m" });
});
