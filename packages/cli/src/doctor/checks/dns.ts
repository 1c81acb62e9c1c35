import { type Check, fail, notKnown, pass } from "../check.ts";
import { databaseOf } from "../facts.ts";
import { isPrivate } from "../server.ts";
import { secret } from "./secret.ts";

/** Names that RDS, DocumentDB and Redshift give, which the whole internet can look up. */
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
      ? fail(what, `Correct "host" in the secret: whatever had this name was deleted or renamed.`)
      : notKnown(what, "A name of a private zone is found in its VPC only: run this there, or correct the name.");
  },
};
