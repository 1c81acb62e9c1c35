import { createPrivateKey, X509Certificate } from "node:crypto";
import { expect, test } from "vitest";
import { createTestCa } from "./index.ts";

test("a certificate is for the hosts and the time asked for, and signed by the authority", async () => {
  const ca = await createTestCa();
  const notBefore = new Date("2020-01-01T00:00:00Z");
  const notAfter = new Date("2051-01-01T00:00:00Z");
  const issued = await ca.issue({ hosts: ["db.example.com", "127.0.0.1", "::1"], notBefore, notAfter });
  const cert = new X509Certificate(issued.cert);
  expect(cert.subjectAltName).toBe("DNS:db.example.com, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1");
  expect([cert.validFromDate, cert.validToDate]).toEqual([notBefore, notAfter]);
  expect(cert.verify(new X509Certificate(ca.pem).publicKey)).toBe(true);
  expect(cert.checkIssued(new X509Certificate(ca.pem))).toBe(true);
  expect(cert.checkPrivateKey(createPrivateKey(issued.key))).toBe(true);
  expect(issued.ca).toBe(ca.pem);
});

test("a certificate is valid now if nothing else is asked for", async () => {
  const { cert } = await (await createTestCa()).issue({ hosts: ["localhost"] });
  const { validFromDate, validToDate } = new X509Certificate(cert);
  expect(validFromDate.getTime()).toBeLessThan(Date.now());
  expect(validToDate.getTime()).toBeGreaterThan(Date.now() + 24 * 3_600_000);
});

test("only the authority's own certificate may sign others", async () => {
  const ca = await createTestCa();
  const { cert } = await ca.issue({ hosts: ["localhost"] });
  expect(new X509Certificate(ca.pem).ca).toBe(true);
  expect(new X509Certificate(cert).ca).toBe(false);
});

test("no two authorities, and no two certificates, are alike", async () => {
  const [one, two] = [await createTestCa(), await createTestCa()];
  expect(new X509Certificate(one.pem).subject).not.toBe(new X509Certificate(two.pem).subject);
  const issued = [await one.issue({ hosts: ["localhost"] }), await one.issue({ hosts: ["localhost"] })];
  const [first, second] = issued.map(({ cert }) => new X509Certificate(cert));
  expect(first?.serialNumber).not.toBe(second?.serialNumber);
  expect(first?.verify(new X509Certificate(two.pem).publicKey)).toBe(false);
});
