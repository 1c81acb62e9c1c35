import { RotationError } from "@quarterturn/core";
import { adviceIn } from "../advice.ts";
import { type Check, fail, notKnown, pass } from "../check.ts";
import { databaseOf } from "../facts.ts";
import type { Server } from "../server.ts";
import { tcp } from "./tcp.ts";

export const tls: Check = {
  name: "TLS",
  needs: [tcp],
  look(facts) {
    const login = facts.server?.login;
    const value = databaseOf(facts)?.value;
    if (value?.ssl === false) return pass('none, since the secret says "ssl": false');
    const silence = withoutAnswer(login);
    if (silence) return notKnown(facts.redact(silence.what), facts.redact(adviceIn(silence)));
    if (login instanceof RotationError && login.code === "tls")
      return fail(facts.redact(login.what), facts.redact(adviceIn(login)));
    return pass("the certificate is verified, from this machine");
  },
};

/** How a connection ends that does not come to its certificate. */
const noAnswers = ["timeout", "unreachable"];

/** Why it is not known how the server encrypts; undefined where it is known. */
export function withoutAnswer(login: Server["login"]): RotationError | undefined {
  return login instanceof RotationError && noAnswers.includes(login.code) ? login : undefined;
}
