import { RotationError } from "@quarterturn/core";
import { type Check, fail, notLookedAt, pass } from "../check.ts";
import { databaseOf } from "../facts.ts";
import { isByDataApi, tcp } from "./tcp.ts";
import { sawNoTls, undecidedTls } from "./tls.ts";

/**
 * Secrets that AWS's functions reach without encryption, and nobody was told: where `ssl` is absent (for Redshift, always) they go on in plaintext
 * after any failure of TLS. The functions of this project refuse, which is the one thing that a user who comes from those may have to change.
 */
export const plaintext: Check = {
  name: "plaintext",
  moot: isByDataApi,
  needs: [tcp],
  look(facts) {
    const database = databaseOf(facts);
    const login = facts.server?.login;
    if (!database) return notLookedAt("the secret is of no database");
    if (database.ssl === false) return pass('the secret allows it: "ssl": false');
    const undecided = undecidedTls(login, facts);
    if (undecided) return undecided;
    const failed = login instanceof RotationError && login.code === "tls";
    if (!failed) return sawNoTls(login) ?? pass("nobody needs it");
    const fallsBack = database.ssl === undefined || database.product.manifest.name === "redshift";
    return fallsBack
      ? fail(
          "AWS's functions would try this server in plaintext, and not say so",
          'Quarterturn\'s refuse. Mend TLS, as above; only if the network is trusted: "ssl": false in the secret.',
        )
      : pass('no function uses it, since the secret says "ssl": true');
  },
};
