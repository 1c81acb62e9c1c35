import { RotationError } from "@quarterturn/core";
import { whereOf } from "@quarterturn/database";
import { toRecover } from "../../secret.ts";
import { adviceIn } from "../advice.ts";
import { type Check, fail, notKnown, notLookedAt, pass } from "../check.ts";
import { databaseOf } from "../facts.ts";
import { isOfThisPlace } from "../refusal.ts";
import { isByDataApi, tcp } from "./tcp.ts";
import { undecidedTls } from "./tls.ts";

export const login: Check = {
  name: "login",
  moot: isByDataApi,
  needs: [tcp],
  look(facts) {
    const database = databaseOf(facts);
    const { login: found, readOnly } = facts.server ?? {};
    const where = database ? whereOf(database.value) : "";
    if (readOnly) return fail(facts.redact(readOnly.what), facts.redact(adviceIn(readOnly)));
    if (found === "accepted") return pass(`AWSCURRENT logs in at ${where}`);
    if (found instanceof RotationError) {
      if (found.code === "tls" || undecidedTls(found, facts)) return notLookedAt('it takes that "TLS" passes');
      const told = [facts.redact(found.what), facts.redact(adviceIn(found))] as const;
      if (isOfThisPlace(found))
        return notKnown(`${told[0]}, from this machine; the function comes from elsewhere`, told[1]);
      return found.code === "busy" ? notKnown(...told) : fail(...told);
    }
    return fail(
      `AWSCURRENT is refused at ${where}${orNoAccount(database)}`,
      `See which version works: ${toRecover(facts.next, { id: facts.id, state: facts.secret.state })}`,
    );
  },
};

/** MySQL says the same of a wrong password and of a user whose accounts are for other hosts. */
export const orNoAccount = (database: ReturnType<typeof databaseOf>): string =>
  database?.product.manifest.name === "rds-mysql" ? ", or has no account for this machine's address" : "";
