import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { jsonLog } from "./log.ts";
import { createRedactor, oneLine } from "./redaction.ts";

const redactorOf = (secret: unknown) => {
  const redactor = createRedactor();
  redactor.learn(typeof secret === "string" ? secret : JSON.stringify(secret));
  return redactor;
};

describe("redaction (promise 3)", () => {
  test("a password never comes through, in any form that a driver may quote", () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 4, maxLength: 40 }).filter((password) => password.trim() === password),
        fc.string(),
        (password, around) => {
          const redactor = redactorOf({ username: "u", password });
          for (const form of [
            password,
            JSON.stringify(password),
            encodeURIComponent(password.toWellFormed()),
            password.replaceAll("'", "''"),
          ]) {
            const shown = redactor.redact(`${around.slice(0, 3)}<${form}>`);
            // What the filler holds by itself is not the password's leak.
            expect(shown.slice(shown.lastIndexOf("<"))).not.toContain(form);
          }
        },
      ),
    );
  });

  test("every leaf is secret but those that an operator must see", () => {
    const redactor = redactorOf({
      host: "db.example",
      username: "checkout",
      password: "pass-word",
      extra: { apiKeys: ["key-one", 123456] },
    });
    expect(redactor.redact("db.example checkout pass-word key-one 123456")).toBe(
      "db.example checkout [redacted] [redacted] [redacted]",
    );
  });

  test("a long number is redacted as it was written, also as the whole secret", () => {
    const redactor = redactorOf('{"apiKey": 98765432109876543210}');
    expect(redactor.redact("key 98765432109876543210")).toBe("key [redacted]");
    expect(redactorOf("12345678901234567890").redact("12345678901234567890")).toBe("[redacted]");
  });

  test("the longer of two values that overlap is replaced whole", () => {
    expect(redactorOf({ a: "secret", b: "secret-and-more" }).redact("x secret-and-more y")).toBe("x [redacted] y");
  });

  test("a secret that is not JSON is secret as a whole and by its lines", () => {
    const redactor = redactorOf("{password: first-line\nsecond-line}");
    expect(redactor.redact("second-line} {password: first-line")).toBe("[redacted] [redacted]");
  });

  test("no text can forge another log line or steer a terminal", () => {
    expect(oneLine("a\r\nb\u001b[31mc\u2028d\u0000e\u202ef")).toBe("a b [31mc d e f");
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(oneLine(text)).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
      }),
    );
  });
});

describe("the log", () => {
  test("writes one JSON object a line, redacted in every field, from its level on", () => {
    const lines: string[] = [];
    const log = jsonLog(
      (line) => lines.push(line),
      "INFO",
      { secret: "arn" },
      redactorOf({ password: "pass-word" }).redact,
    );
    log.debug("unseen");
    log.warn("A constant message", {
      reason: "it said pass-word\n{}",
      list: ["pass-word"],
      apiCalls: { PutSecretValue: 1 },
    });
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? "")).toEqual({
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      level: "WARN",
      message: "A constant message",
      secret: "arn",
      reason: "it said [redacted] {}",
      list: ["[redacted]"],
      apiCalls: { PutSecretValue: 1 },
    });
  });

  test("keeps what it is filtered by, although a secret holds the same words", () => {
    const lines: string[] = [];
    const base = { step: "setSecret", secret: "arn:secret:prod/checkout" };
    jsonLog(
      (line) => lines.push(line),
      "INFO",
      base,
      redactorOf({ level: "INFO", env: "prod", year: "2026" }).redact,
    ).info("Done in prod");
    expect(JSON.parse(lines[0] ?? "")).toEqual({
      timestamp: expect.stringMatching(/^\d{4}-/),
      level: "INFO",
      ...base,
      message: "Done in [redacted]",
    });
  });
});
