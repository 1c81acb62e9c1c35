import { randomBytes } from "node:crypto";
import { type RotationHandler, rotationHandler } from "@quarterturn/core";
import { databaseSettings, singleUser } from "@quarterturn/database";
import type { RotationContext, RotationEvent } from "@quarterturn/local";
import { manifest, postgres } from "@quarterturn/rds-postgres";
import { createTrustedCa, type PostgresServer, startPostgres } from "@quarterturn-tools/engines";
import { type Client, escapeIdentifier, escapeLiteral } from "pg";
import { type Service, startService } from "./secrets-manager.ts";

const ca = await createTrustedCa();

/** A PostgreSQL, and a Secrets Manager with its admin's secret `boss`, and with the functions `rotates`, the real one, and `stops-at-STEP`, which fails when that step's turn comes. */
export interface Database extends AsyncDisposable {
  readonly service: Service;
  readonly server: PostgresServer;
  readonly superuser: Client;
  /** A new user and its secret, which rotates by `rotates`. @returns the secret's name, which is the user's */
  createSecret(keys?: object): Promise<string>;
  /** Rotates a secret to its end. */
  rotate(secret: string, functionName?: string): Promise<void>;
  setPassword(user: string, password: string): Promise<void>;
  /** Makes a version AWSCURRENT and does nothing else, as finishSecret does. */
  promote(secret: string, version: string): Promise<void>;
  /** The id of the version with this label. */
  version(secret: string, label: string): Promise<string>;
  /** The value of a version as an object. */
  value(secret: string, label: string): Promise<{ readonly username: string; readonly password: string }>;
  /** Whether the version with this label logs in. */
  accepts(secret: string, label: string): Promise<boolean>;
}

export async function startDatabase(): Promise<Database> {
  const certificate = await ca.issue({ hosts: ["localhost"] });
  const server = await startPostgres({ certificate });
  const superuser = await server.connect();
  await superuser.query("CREATE ROLE boss CREATEROLE LOGIN PASSWORD 'boss-password'");
  let handler: RotationHandler | undefined;
  const rotates = async (event: RotationEvent, context: RotationContext) => handler?.(event, context);
  const stopsAt = (step: string) => async (event: RotationEvent, context: RotationContext) => {
    if (event.Step === step) throw new Error(`this function stops at ${step}`);
    await rotates(event, context);
  };
  const service = await startService({
    functions: {
      rotates,
      "stops-at-createSecret": stopsAt("createSecret"),
      "stops-at-setSecret": stopsAt("setSecret"),
      "stops-at-testSecret": stopsAt("testSecret"),
    },
  });
  const { sm, local } = service;
  const env = { SECRETS_MANAGER_ENDPOINT: local.url, LOG_LEVEL: "ERROR" };
  handler = rotationHandler((settings) => singleUser(postgres(settings), databaseSettings(settings, manifest)), env);
  const at = { engine: "postgres", host: server.host, port: server.port };
  const boss = { ...at, username: "boss", password: "boss-password" };
  await sm.createSecret({ Name: "boss", SecretString: JSON.stringify(boss) });
  let users = 0;

  const database: Database = {
    service,
    server,
    superuser,
    async createSecret(keys = {}) {
      const name = `app${++users}`;
      const password = randomBytes(12).toString("hex");
      await superuser.query(
        `CREATE ROLE ${name} LOGIN PASSWORD '${password}'; GRANT ${name} TO boss WITH ADMIN OPTION`,
      );
      const value = { ...at, username: name, password, ...keys };
      await sm.createSecret({ Name: name, SecretString: JSON.stringify(value) });
      await sm.rotateSecret({ SecretId: name, RotationLambdaARN: "rotates", RotateImmediately: false });
      await local.settled(name);
      return name;
    },
    async rotate(secret, functionName = "rotates") {
      await sm.rotateSecret({ SecretId: secret, RotationLambdaARN: functionName });
      await local.settled(secret);
    },
    async setPassword(user, password) {
      await superuser.query(`ALTER ROLE ${escapeIdentifier(user)} PASSWORD ${escapeLiteral(password)}`);
    },
    async promote(SecretId, MoveToVersionId) {
      const RemoveFromVersionId = await database.version(SecretId, "AWSCURRENT");
      const move = { MoveToVersionId, RemoveFromVersionId };
      await sm.updateSecretVersionStage({ SecretId, VersionStage: "AWSCURRENT", ...move });
    },
    async version(secret, label) {
      const { VersionIdsToStages = {} } = await sm.describeSecret({ SecretId: secret });
      const id = Object.keys(VersionIdsToStages).find((each) => VersionIdsToStages[each]?.includes(label));
      if (id === undefined) throw new Error(`no version of ${secret} is ${label}`);
      return id;
    },
    async value(secret, label) {
      const { SecretString = "" } = await sm.getSecretValue({ SecretId: secret, VersionStage: label });
      return JSON.parse(SecretString);
    },
    async accepts(secret, label) {
      const { username, password } = await database.value(secret, label);
      try {
        await (await server.connect({ user: username, password, database: "postgres" })).end();
        return true;
      } catch (error) {
        if ((error as { code?: string }).code === "28P01") return false;
        throw error;
      }
    },
    async [Symbol.asyncDispose]() {
      await service[Symbol.asyncDispose]();
      await superuser.end();
      await server.close();
    },
  };
  return database;
}
