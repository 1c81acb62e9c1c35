import { RotationError } from "@quarterturn/core";
import { isUnknownAuthority } from "@quarterturn/database";
import { adviceIn } from "../advice.ts";
import { type Check, type Finding, fail, notKnown, pass } from "../check.ts";
import { databaseOf, type Facts } from "../facts.ts";
import { settingsOf } from "../rotation-function.ts";
import { isByDataApi, tcp } from "./tcp.ts";

export const tls: Check = {
  name: "TLS",
  moot: isByDataApi,
  needs: [tcp],
  look(facts) {
    const login = facts.server?.login;
    if (databaseOf(facts)?.value.ssl === false) return pass('none, since the secret says "ssl": false');
    const undecided = undecidedTls(login, facts);
    if (undecided) return undecided;
    if (login instanceof RotationError && login.code === "tls")
      return fail(facts.redact(login.what), facts.redact(adviceIn(login)));
    return sawNoTls(login) ?? pass("the certificate is verified, from this machine");
  },
};

/** How a connection ends that does not come to its certificate. */
const noAnswer = ["timeout", "unreachable"];

/** Why a login does not say how the server encrypts, or whether the function would trust it; undefined where it does. */
export function undecidedTls(login: unknown, { rotationFunction, redact }: Facts): Finding | undefined {
  if (!(login instanceof RotationError)) return undefined;
  if (noAnswer.includes(login.code)) return notKnown(redact(login.what), redact(adviceIn(login)));
  const trustsMore = rotationFunction && settingsOf(rotationFunction).NODE_EXTRA_CA_CERTS !== undefined;
  return trustsMore && isUnknownAuthority(login.cause)
    ? notKnown(
        "the server's certificate authority is not known on this machine; the function knows more",
        "Set NODE_EXTRA_CA_CERTS here, too, to what the function has.",
      )
    : undefined;
}

/** Only an answer to the password proves an encrypted connection: a server may refuse before there is one, as MySQL does with 1040, 1129 and 1130. */
export const sawNoTls = (login: unknown): Finding | undefined =>
  login === "accepted" || login === "rejected"
    ? undefined
    : notKnown("the server ended the login, maybe before the connection was encrypted");
