import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { SecretsManager } from "@aws-sdk/client-secrets-manager";
import { startFerretdb, startMysql, startPostgres } from "@quarterturn-tools/engines";

/** A server with a user whose password is to be rotated. */
export interface Database extends AsyncDisposable {
  readonly secret: Readonly<Record<string, string | number>>;
  /** A file with the authority that its certificate is of. */
  readonly caFile: string;
  /** @throws Error where the server refuses it */
  login(password: string): Promise<void>;
}

const username = "app";
const password = "as-created";

/** The databases whose server starts quickly, by the package that rotates them. */
export const databases: readonly { readonly name: string; start(): Promise<Database> }[] = [
  {
    name: "rds-postgres",
    async start() {
      const server = await startPostgres();
      await (await server.connect()).query(`CREATE ROLE ${username} LOGIN PASSWORD '${password}'`);
      return database(server, async (password) => (await server.connect({ user: username, password })).end());
    },
  },
  {
    name: "rds-mysql",
    async start() {
      const server = await startMysql();
      await (await server.connect()).query(`CREATE USER ${username} IDENTIFIED BY '${password}'`);
      return database(server, async (password) => (await server.connect({ user: username, password })).end());
    },
  },
  {
    name: "documentdb",
    async start() {
      const server = await startFerretdb();
      const roles = [{ role: "changeOwnPassword", db: "admin" }];
      await (await server.connect()).db("admin").command({ createUser: username, pwd: password, roles });
      return database(server, async (password) => {
        await server.connect({ user: username, password });
      });
    },
  },
];

interface Server {
  readonly host: string;
  readonly port: number;
  readonly caFile: string;
  close(): Promise<void>;
}

function database({ host, port, caFile, close }: Server, login: Database["login"]): Database {
  return { secret: { host, port, username, password }, caFile, login, [Symbol.asyncDispose]: close };
}

/**
 * Rotates by what is installed alone: the command of @quarterturn/local, in the folder of `endpoint`, calls a function that is installed in
 * `folder`.
 *
 * @returns the new password, which logs in
 * @throws Error with what the endpoint printed, where it did not rotate
 */
export async function rotateOnce(
  { secret, caFile, login }: Database,
  { folder, handler, endpoint }: { folder: string; handler: string; endpoint: string },
): Promise<string> {
  const command = join(endpoint, "node_modules/.bin/quarterturn-local");
  const local = spawn(process.execPath, [command, "--function", `rotation=${handler}`], {
    cwd: folder,
    env: { PATH: process.env.PATH, NODE_EXTRA_CA_CERTS: caFile },
  });
  const closed = once(local, "close");
  let log = "";
  const isOver = Promise.withResolvers<void>();
  local.stderr.setEncoding("utf8").on("data", (text: string) => {
    log += text;
    if (/ Rotation(Succeeded|Failed) /.test(log)) isOver.resolve();
  });
  const url = Promise.race([
    once(createInterface(local.stdout), "line").then(([line]) => String(line)),
    closed.then(() => Promise.reject(new Error(`quarterturn-local ended: ${log}`))),
  ]);
  const client = new SecretsManager({ endpoint: await url });
  try {
    const { ARN: SecretId } = await client.createSecret({ Name: "app", SecretString: JSON.stringify(secret) });
    await client.rotateSecret({ SecretId, RotationLambdaARN: "rotation" });
    await isOver.promise;
    const { SecretString = "" } = await client.getSecretValue({ SecretId });
    const rotated = JSON.parse(SecretString) as { password: string };
    if (!log.includes(" RotationSucceeded ")) throw new Error(log);
    await login(rotated.password);
    return rotated.password;
  } finally {
    client.destroy();
    local.kill();
    await closed;
  }
}
