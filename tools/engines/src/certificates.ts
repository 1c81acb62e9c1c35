import { createHash, generateKeyPair, type KeyObject, randomBytes, sign } from "node:crypto";
import { isIP } from "node:net";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { promisify } from "node:util";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import * as x509 from "@peculiar/asn1-x509";

/** A certificate for a server, its private key, and the certificate authority that signed it, all as PEM text. */
export interface ServerCertificate {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

export interface CertificateRequest {
  /** DNS names and IP addresses that the certificate is valid for. */
  readonly hosts: readonly string[];
  /** Default: an hour ago. */
  readonly notBefore?: Date;
  /** Default: in 30 days. */
  readonly notAfter?: Date;
}

/** A certificate authority that lives as long as the process that made it: its key is written nowhere. */
export interface TestCa {
  /** The authority's own certificate as PEM text: what a client has to trust. */
  readonly pem: string;
  issue(request: CertificateRequest): Promise<ServerCertificate>;
}

/** Makes a new certificate authority. Each has its own key and its own name, so none passes for another. */
export async function createTestCa(): Promise<TestCa> {
  const ca = await newKeys();
  const issuer = { name: `Quarterturn test CA ${randomBytes(8).toString("hex")}`, key: ca.privateKey, id: keyId(ca) };
  const pem = certificate(issuer, issuer.name, ca, {}, [
    extension(x509.id_ce_basicConstraints, new x509.BasicConstraints({ cA: true }), true),
  ]);
  return {
    pem,
    async issue(request) {
      const keys = await newKeys();
      const hosts = new x509.SubjectAlternativeName(request.hosts.map(generalName));
      const cert = certificate(issuer, request.hosts[0] ?? "nobody", keys, request, [
        extension(x509.id_ce_subjectAltName, hosts),
        extension(x509.id_ce_extKeyUsage, new x509.ExtendedKeyUsage([x509.id_kp_serverAuth])),
      ]);
      return { cert, key: keys.privateKey.export({ type: "pkcs8", format: "pem" }).toString(), ca: pem };
    },
  };
}

/** One that this process trusts: to be made before the first login, since the rotators make one TLS context for the process. */
export async function createTrustedCa(): Promise<TestCa> {
  const ca = await createTestCa();
  setDefaultCACertificates([...getCACertificates("default"), ca.pem]);
  return ca;
}

/** What a server shows. One without TLS has a certificate too, which it does not show: so there is a `ca` in any case. */
export async function serverCertificate(wish: ServerCertificate | "none" | undefined): Promise<ServerCertificate> {
  if (wish !== undefined && wish !== "none") return wish;
  const ca = await createTestCa();
  return ca.issue({ hosts: ["localhost", "127.0.0.1", "::1"] });
}

interface Keys {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

interface Issuer {
  readonly name: string;
  readonly key: KeyObject;
  readonly id: OctetString;
}

const HOUR_MS = 3_600_000;
const OID_COMMON_NAME = "2.5.4.3";
const ECDSA_WITH_SHA256 = new x509.AlgorithmIdentifier({ algorithm: "1.2.840.10045.4.3.2" });

function newKeys(): Promise<Keys> {
  return promisify(generateKeyPair)("ec", { namedCurve: "P-256" });
}

function certificate(
  issuer: Issuer,
  subject: string,
  keys: Keys,
  { notBefore, notAfter }: Pick<CertificateRequest, "notBefore" | "notAfter">,
  extensions: x509.Extension[],
): string {
  const content = new x509.TBSCertificate({
    version: x509.Version.v3,
    serialNumber: positiveSerialNumber(),
    signature: ECDSA_WITH_SHA256,
    issuer: commonName(issuer.name),
    validity: new x509.Validity({
      notBefore: notBefore ?? new Date(Date.now() - HOUR_MS),
      notAfter: notAfter ?? new Date(Date.now() + 30 * 24 * HOUR_MS),
    }),
    subject: commonName(subject),
    subjectPublicKeyInfo: publicKeyInfo(keys),
    extensions: new x509.Extensions([
      ...extensions,
      extension(x509.id_ce_subjectKeyIdentifier, new x509.SubjectKeyIdentifier(keyId(keys))),
      extension(
        x509.id_ce_authorityKeyIdentifier,
        new x509.AuthorityKeyIdentifier({ keyIdentifier: new x509.KeyIdentifier(issuer.id) }),
      ),
    ]),
  });
  const signature = sign("sha256", Buffer.from(AsnConvert.serialize(content)), issuer.key);
  const der = AsnConvert.serialize(
    new x509.Certificate({
      tbsCertificate: content,
      signatureAlgorithm: ECDSA_WITH_SHA256,
      signatureValue: new Uint8Array(signature).buffer,
    }),
  );
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----", ""].join("\n");
}

function publicKeyInfo(keys: Keys): x509.SubjectPublicKeyInfo {
  return AsnConvert.parse(keys.publicKey.export({ type: "spki", format: "der" }), x509.SubjectPublicKeyInfo);
}

function keyId(keys: Keys): OctetString {
  const digest = createHash("sha1")
    .update(new Uint8Array(publicKeyInfo(keys).subjectPublicKey))
    .digest();
  return new OctetString(digest);
}

function commonName(text: string): x509.Name {
  const value = new x509.AttributeValue({ utf8String: text });
  return new x509.Name([
    new x509.RelativeDistinguishedName([new x509.AttributeTypeAndValue({ type: OID_COMMON_NAME, value })]),
  ]);
}

function generalName(host: string): x509.GeneralName {
  return new x509.GeneralName(isIP(host) === 0 ? { dNSName: host } : { iPAddress: host });
}

function extension(extnID: string, value: object, critical = false): x509.Extension {
  return new x509.Extension({ extnID, critical, extnValue: new OctetString(AsnConvert.serialize(value)) });
}

function positiveSerialNumber(): ArrayBuffer {
  const bytes = new Uint8Array(randomBytes(16));
  bytes[0] = 0x40 | ((bytes[0] ?? 0) & 0x3f);
  return bytes.buffer;
}
