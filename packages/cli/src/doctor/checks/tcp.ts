import { addressOf } from "@quarterturn/database";
import { type Check, fail, notKnown, pass } from "../check.ts";
import { databaseOf } from "../facts.ts";
import { isPrivate } from "../server.ts";
import { dns } from "./dns.ts";

export const tcp: Check = {
  name: "TCP",
  needs: [dns],
  look(facts) {
    const { connection, addresses = [] } = facts.server ?? {};
    const value = databaseOf(facts)?.value ?? { host: "", port: 0 };
    const where = addressOf(value);
    if (connection === "connected") return pass("answers, from this machine");
    if (connection === "ECONNREFUSED") {
      return fail(
        `nothing listens at ${where}, from this machine`,
        "Start the database, or correct host and port in the secret.",
      );
    }
    const fix = "Run this inside of the VPC, e.g. on a bastion or in CloudShell's VPC environment.";
    return Array.isArray(addresses) && addresses.every(isPrivate)
      ? notKnown(`${where} is private, and cannot be reached from outside of its VPC (${connection})`, fix)
      : notKnown(`no connection to ${where} from this machine (${connection}); the function may have one`, fix);
  },
};
