import {
  generatePassword,
  jsonFormat,
  otherOfPair,
  pairOf,
  passwordSettings,
  RotationError,
  type Rotator,
  rotationHandler,
} from "@quarterturn/core";
import { login } from "./account-client.ts";
import { adminOf, rejected, requireSameAccount, type Secret, secretSchema } from "./secret.ts";
import { singleUser } from "./single-user.ts";

/** Two accounts take turns; an admin gives the one that is not in use its new password. */
export const multiUser: Rotator<Secret> = {
  schema: secretSchema,
  format: jsonFormat,

  create: async ({ username }) => ({
    username: otherOfPair(username),
    password: generatePassword(passwordSettings(process.env, "")),
  }),

  async set({ current, pending }, context) {
    if (pending.username === current.username) {
      throw new RotationError("superseded", "AWSCURRENT was moved to the user of the pending version", "Rotate again.");
    }
    requireSameAccount(current, pending, otherOfPair(current.username));
    const admin = await adminOf(current, context);
    requireSameAccount(current, { ...admin, username: current.username }, current.username);
    const own = await login(current, context);
    if (own === "rejected") throw rejected(current);
    own.close();
    const session = await login(admin, context);
    if (session === "rejected") throw rejected(admin);
    const { original, twin } = pairOf(current.username);
    await session.ask({ do: "createTwin", username: twin, of: original });
    // An account may have the name and be somebody else's: the twin's, or the original's where AWSCURRENT's is no twin.
    await session.ask({ do: "requireTwin", username: twin, of: original });
    // The password comes last: until then nobody can log in to a twin that lacks rights.
    await session.ask({ do: "copyRights", from: current.username, to: pending.username });
    await session.ask({ do: "setPassword", username: pending.username, password: pending.password });
    session.close();
    return "valid";
  },

  test: singleUser.test,
};

export const handler = rotationHandler(() => multiUser);
