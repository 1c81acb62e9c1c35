import { request } from "node:http";
import { expect } from "vitest";

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** A request with exactly these headers. */
export function post(port: number, sent: Record<string, string>, body: Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: "127.0.0.1", port, method: "POST", headers: sent, timeout: 5_000 }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString();
        resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) });
      });
    });
    outgoing.on("error", reject);
    outgoing.on("timeout", () => outgoing.destroy(new Error("no answer")));
    outgoing.end(body);
  });
}

/** A result, or an error in the services' shape. */
export function expectShape({ status, body }: Answer): void {
  if (status === 200) return;
  expect(body).toEqual({
    __type: expect.stringMatching(/^[A-Z][A-Za-z]+$/),
    ...(Object.hasOwn(Object(body), "message") ? { message: expect.any(String) } : { Message: expect.any(String) }),
  });
  expect([400, 413]).toContain(status);
}
