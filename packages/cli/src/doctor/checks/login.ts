import { RotationError } from "@quarterturn/core";
import { whereOf } from "@quarterturn/database";
import { adviceIn } from "../advice.ts";
import { type Check, fail, notKnown, pass } from "../check.ts";
import { databaseOf } from "../facts.ts";
import { tls } from "./tls.ts";

export const login: Check = {
  name: "login",
  needs: [tls],
  look(facts) {
    const database = databaseOf(facts);
    const found = facts.server?.login;
    const where = database ? whereOf(database.value) : "";
    if (found === "accepted") return pass(`AWSCURRENT logs in at ${where}`);
    if (found instanceof RotationError) {
      const told = [facts.redact(found.what), facts.redact(adviceIn(found))] as const;
      return found.code === "busy" ? notKnown(...told) : fail(...told);
    }
    return fail(`AWSCURRENT is refused at ${where}`, `See which version works: ${facts.next("recover", facts.id)}`);
  },
};
