import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Bundle, bundle, deploy, lambdaFunctions, startLambda } from "../../src/index.ts";
import { node22 } from "../node-22.ts";
import { type Secret, type SecretsManager, startSecretsManager } from "../secrets-manager.ts";

/** The server that the package's conformance suite is run with. */
interface Target extends AsyncDisposable {
  readonly address: { readonly host: string; readonly port: number };
  readonly caFile?: string;
  readonly hostile: { readonly passwords: readonly string[] };
  createAccount(wish: {
    readonly name?: string;
    readonly password?: string;
    readonly at: Target["address"];
  }): Promise<{ readonly secret: Secret; readonly adminSecret?: Secret }>;
  login(secret: Secret): Promise<string>;
}

const run = promisify(execFile);
const runtimes = [
  { version: "22", binary: node22 },
  { version: "24", binary: async () => process.execPath },
];

/**
 * The tests of functions as they are deployed: unpacked from their archives, alone in their folders, run by AWS's runtime client.
 *
 * @param names the functions', all of one package
 * @param settings the functions' environment, beside what they reach their servers by
 */
export async function deployedFunctions(
  names: readonly string[],
  startTarget: (strategy: "single-user" | "multi-user") => Promise<Target>,
  settings: Readonly<Record<string, string>> = {},
): Promise<void> {
  const functions = (await lambdaFunctions()).filter(({ name }) => names.includes(name));
  if (functions.length !== names.length)
    throw new Error(`Of ${names}, only ${functions.map(({ name }) => name)} exist.`);
  const running = new AsyncDisposableStack();
  let bundles: readonly Bundle[];
  let secretsManager: SecretsManager;

  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), "quarterturn-bundle-"));
    running.defer(() => rm(folder, { recursive: true }));
    bundles = await bundle(folder, functions);
    secretsManager = running.use(await startSecretsManager());
  });
  afterAll(() => running.disposeAsync());

  describe.for(functions)("$name", ({ name, strategy }) => {
    const isSingle = strategy === "single-user";
    let target: Target;
    beforeAll(async () => {
      target = running.use(await startTarget(isSingle ? "single-user" : "multi-user"));
    });

    it.each(runtimes)(
      "rotates a secret under Node.js $version, three times",
      { timeout: 60_000 },
      async ({ version, binary }) => {
        await using opened = new AsyncDisposableStack();
        const nodeBinary = await binary();
        expect((await run(nodeBinary, ["--version"])).stdout).toMatch(new RegExp(`^v${version}\\.`));
        const { zipFile = "" } = bundles.find((each) => each.name === name) ?? {};
        const { folder } = opened.use(await deploy(zipFile));
        // A rotation needs nothing that is loaded lazily.
        const lazy = (await readdir(folder)).filter((file) => file.endsWith(".js") && file !== "index.js");
        for (const file of lazy) await rm(join(folder, file));
        const env = {
          ...settings,
          SECRETS_MANAGER_ENDPOINT: secretsManager.url,
          ...(target.caFile !== undefined && { NODE_EXTRA_CA_CERTS: target.caFile }),
        };
        const lambda = opened.use(await startLambda({ folder, env, nodeBinary }));
        secretsManager.use(lambda);

        const password = target.hostile.passwords.find((each) => /[^\x20-\x7e\n]/.test(each));
        const wish = {
          name: `naïve ☃ ${strategy} ${version}`,
          ...(password !== undefined && { password }),
          at: target.address,
        };
        const { secret, adminSecret } = await target.createAccount(wish);
        const admin = adminSecret && {
          masterarn: await secretsManager.create(`admin-of-${name}-${version}`, adminSecret),
        };
        const secretId = await secretsManager.create(`${name}-${version}`, { ...secret, ...admin });

        const values = [await secretsManager.current(secretId)];
        for (const isOdd of [true, false, true]) {
          expect(await secretsManager.rotate(secretId)).toBeUndefined();
          const now = await secretsManager.current(secretId);
          expect(now.username).toBe(!isSingle && isOdd ? `${secret.username}_clone` : secret.username);
          expect(values.map((value) => value.password)).not.toContain(now.password);
          expect(await target.login(now)).toBe("accepted");
          if (!isSingle) expect(await target.login(values.at(-1) ?? {})).toBe("accepted");
          values.push(now);
        }
        // Whatever a rotation sets or issues, the next but one ends; what was there before it is not everywhere its to end.
        expect(await target.login(values[1] ?? {})).toBe("refused");

        await lambda.kill();
        const secrets = adminSecret === undefined ? values : [...values, adminSecret];
        for (const { password: secretValue } of secrets) expectNot(String(secretValue), lambda.output);
        const records = lambda.output
          .trim()
          .split("\n")
          .map((line) => JSON.parse(line) as Record<string, unknown>);
        const done = records.filter(({ message }) => message === "Step done");
        expect(done.map(({ step }) => step).slice(0, 4)).toEqual([
          "createSecret",
          "setSecret",
          "testSecret",
          "finishSecret",
        ]);
        expect(done).toHaveLength(12);
      },
    );
  });
}

/** Neither as it is, nor as a string of JSON has it. */
function expectNot(secret: string, output: string): void {
  expect(output).not.toContain(secret);
  expect(output).not.toContain(JSON.stringify(secret).slice(1, -1));
}
