import { choiceSetting, type Environment, RotationError } from "@quarterturn/core";
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
  if (choiceSetting(env, "REDSHIFT_TRANSPORT", "wire", ["wire", "data-api"]) === "wire") return wire;
  if (!env.ALLOWED_HOSTS) return dataApi(env);
  // setSecret would change the password at the admin's host, and testSecret then find no cluster by the secret's.
  throw new RotationError(
    "bad-setting",
    "ALLOWED_HOSTS names other hosts of a database, and REDSHIFT_TRANSPORT=data-api knows a cluster or workgroup by its own endpoint only",
    "This try changed nothing. Unset ALLOWED_HOSTS and put the endpoint that Redshift shows into the secrets as host, or use REDSHIFT_TRANSPORT=wire.",
  );
}
