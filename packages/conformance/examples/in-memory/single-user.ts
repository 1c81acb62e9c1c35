import { generatePassword, jsonFormat, passwordSettings, type Rotator, rotationHandler } from "@quarterturn/core";
import { login } from "./account-client.ts";
import { rejected, requireSameAccount, type Secret, secretSchema } from "./secret.ts";

/** The account changes its own password. */
export const singleUser: Rotator<Secret> = {
  schema: secretSchema,
  format: jsonFormat,

  create: async () => ({ password: generatePassword(passwordSettings(process.env, "")) }),

  async set({ current, pending, previous }, context) {
    requireSameAccount(current, pending, current.username);
    // AWSPENDING is accepted where an earlier try was killed, AWSPREVIOUS after AWSCURRENT was moved back.
    for (const read of [() => current, () => pending, previous]) {
      const known = await read();
      const session = known && (await login({ ...current, password: known.password }, context));
      if (!session || session === "rejected") continue;
      if (known !== pending)
        await session.ask({ do: "setPassword", username: current.username, password: pending.password });
      session.close();
      return "refused";
    }
    throw rejected(current);
  },

  async test(pending, context) {
    const session = await login(pending, context);
    if (session === "rejected") throw rejected(pending);
    session.close();
  },
};

export const handler = rotationHandler(() => singleUser);
