import { createTestCa, type ServerCertificate, type TestCa } from "./certificates.ts";

const hosts = ["localhost", "127.0.0.1"];

/** How a server is started that a client must refuse which trusts the authority and wants TLS, by what is wrong with it. */
export function tlsFaults<Server extends AsyncDisposable>(
  ca: TestCa,
  start: (certificate: ServerCertificate | "none") => Promise<Server>,
) {
  const showing = (certificate: () => Promise<ServerCertificate | "none">) => async () => {
    const server = await start(await certificate());
    return { at: server, close: async () => server[Symbol.asyncDispose]() };
  };
  return {
    "speaks-no-tls": showing(async () => "none"),
    "expired-certificate": showing(() => ca.issue({ hosts, notAfter: new Date(Date.now() - 60_000) })),
    "foreign-certificate": showing(async () => (await createTestCa()).issue({ hosts })),
    "other-host-name": showing(() => ca.issue({ hosts: ["other.example"] })),
  };
}
