import { choiceSetting, type Environment } from "@quarterturn/core";
import type { Engine } from "@quarterturn/database";
import { dataApi } from "./data-api.ts";
import { manifest } from "./manifest.ts";
import { openSession, requireOwnUser } from "./session.ts";
import type { Transport } from "./transport.ts";
import { wire } from "./wire.ts";

/** Redshift, provisioned and serverless. @throws RotationError `bad-setting` */
export function redshift(env: Environment): Engine {
  const transport = transportOf(env);
  return {
    manifest,
    discardsOldPassword: false,
    hasRightsPerDatabase: true,

    async login(login, context) {
      const connection = await transport.connect(login, context);
      return connection === "rejected" ? connection : openSession(connection, login, context);
    },

    async probe(login, context) {
      const connection = await transport.connect(login, context);
      if (connection === "rejected") return connection;
      await connection.close();
      requireOwnUser(connection, login);
      return "accepted";
    },
  };
}

function transportOf(env: Environment): Transport {
  return choiceSetting(env, "REDSHIFT_TRANSPORT", "wire", ["wire", "data-api"]) === "wire" ? wire : dataApi(env);
}
