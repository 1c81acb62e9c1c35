import { addressOf } from "@quarterturn/database";
import { type Check, fail, notKnown, pass } from "../check.ts";
import { databaseOf, type Facts } from "../facts.ts";
import { usesDataApi } from "../rotation-function.ts";
import { isPrivate } from "../server.ts";
import { dns } from "./dns.ts";

/** Why this machine's way to the server says nothing; undefined where it does. */
export const isByDataApi = ({ rotationFunction }: Facts): string | undefined =>
  usesDataApi(rotationFunction) ? "the function uses the Data API, and a login by it would write a secret" : undefined;

export const tcp: Check = {
  name: "TCP",
  moot: isByDataApi,
  needs: [dns],
  look(facts) {
    const { connection, addresses = [] } = facts.server ?? {};
    const value = databaseOf(facts)?.value ?? { host: "", port: 0 };
    const where = addressOf(value);
    if (connection === "connected") return pass("answers, from this machine");
    const isInside = Array.isArray(addresses) && addresses.every(isPrivate);
    // A private address may be another machine's in the network that this one is in.
    if (connection === "ECONNREFUSED" && !isInside) {
      return fail(
        `nothing listens at ${where}, from this machine`,
        "Start the database, or correct host and port in the secret.",
      );
    }
    const fix = "Run this inside of the VPC, e.g. on a bastion or in CloudShell's VPC environment.";
    return isInside
      ? notKnown(`${where} is private, and is reached from inside of its VPC only (${connection})`, fix)
      : notKnown(`no connection to ${where} from this machine (${connection}); the function may have one`, fix);
  },
};
