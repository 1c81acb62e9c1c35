import { type Check, notKnown, pass } from "../check.ts";
import { databaseOf } from "../facts.ts";
import { isPrivate } from "../server.ts";
import { secret } from "./secret.ts";

/** Names that RDS, DocumentDB and Redshift give, which the whole internet can look up, where its resolver lets private addresses through. */
const ofAws = /\.amazonaws\.com(\.cn)?$/i;

export const dns: Check = {
  name: "DNS",
  needs: [secret],
  look(facts) {
    const host = databaseOf(facts)?.value.host ?? "";
    const addresses = facts.server?.addresses ?? [];
    if (typeof addresses !== "string") {
      const each = addresses.map((address) => `${address}${isPrivate(address) ? " (private)" : ""}`);
      return pass(`${host} is ${each.join(", ")}, on this machine`);
    }
    const what = `this machine finds no address of ${host} (${addresses})`;
    return addresses === "ENOTFOUND" && ofAws.test(host)
      ? notKnown(
          what,
          'Look for it inside of its VPC, too. If it is found nowhere, correct "host" in the secret: what had this name was deleted or renamed.',
        )
      : notKnown(what, "A name of a private zone is found in its VPC only: run this there, or correct the name.");
  },
};
