import type { DatabaseSecret } from "@quarterturn/database";
import { startBlackHole, startFaultyServer } from "@quarterturn-tools/engines";
import type { Refused } from "./errors-page.ts";
import type { StepsByHand } from "./steps-by-hand.ts";

interface Address {
  readonly host: string;
  readonly port: number;
}

/** What is needed of an engine's own fixture. */
interface Fixture {
  readonly server: Address;
  readonly admin: { readonly username: string; readonly password: string };
  createUser(): Promise<DatabaseSecret>;
}

const password = "never-in-a-log";

const faults = {
  closed: ["a closed port", "unreachable", () => startFaultyServer("closed")],
  drops: ["a black hole: packets are dropped", "timeout", startBlackHole],
  silent: ["a server that accepts and never answers", "timeout", () => startFaultyServer("silent")],
  resets: ["a server that resets", "unreachable", () => startFaultyServer("resets")],
} as const;

/** Registers servers with which no connection comes about; `work` is to fail at such an address. */
export function refusedConnections(
  refused: Refused,
  work: (at: Address) => Promise<unknown>,
  kinds: readonly (keyof typeof faults)[] = ["closed", "drops", "silent", "resets"],
): void {
  for (const [situation, code, start] of kinds.map((kind) => faults[kind])) {
    refused(situation, code, async () => {
      await using server = await start();
      await work(server);
    });
  }
}

/** What is given wrongly to the functions of every engine in the same way. */
export function refusedByEveryEngine(fixture: () => Fixture, { secretWith, step }: StepsByHand) {
  /** A secret of a user that there is not. */
  const account = (more: object = {}): DatabaseSecret & Record<string, unknown> => {
    const { host, port } = fixture().server;
    return { host, port, username: "nobody", password, userKeys: {}, ssl: true, ...more };
  };
  const boss = () => ({ host: fixture().server.host, port: fixture().server.port, ...fixture().admin });
  /** multi-user's setSecret of a new user, with an admin secret or the ARN of one. */
  const withAdmin = async (admin: object | string | undefined, keys: object = {}) => {
    const { masterarn: _, ...user } = await fixture().createUser();
    const masterarn = typeof admin === "object" ? await secretWith(JSON.stringify(admin)) : admin;
    const current = { ...user, ...user.userKeys, ...keys, ...(masterarn === undefined ? {} : { masterarn }) };
    const pending = { ...current, username: `${current.username}_clone`, password };
    await step("setSecret", current, { strategy: "multi-user", pending });
  };
  return {
    password,
    account,
    boss,
    withAdmin,
    /** Single-user's setSecret at another server. */
    at: ({ host, port }: Address) =>
      step("setSecret", account({ host, port }), {
        pending: account({ host, port, password: "never-in-a-log-2" }),
      }),
    passwords(refused: Refused) {
      refused("a wrong password in every version", "credentials-rejected", () =>
        step("setSecret", account(), { pending: account({ password: "never-in-a-log-2" }) }),
      );
      refused("testSecret with a password that the server refuses", "credentials-rejected", () =>
        step("testSecret", account(), { pending: account() }),
      );
    },
    adminSecrets(refused: Refused) {
      refused("none named", "bad-secret", () => withAdmin(undefined));
      refused("one that does not exist", "bad-secret", () =>
        withAdmin("arn:aws:secretsmanager:us-east-1:000000000000:secret:none-AbCdEf"),
      );
      refused("one without a password", "bad-secret", () => withAdmin({ ...boss(), password: undefined }));
      refused("one for another host", "wrong-target", () => withAdmin({ ...boss(), host: "other.example" }));
      refused("one without a host, which RDS does not know", "bad-secret", () => withAdmin(fixture().admin));
      refused("one whose password is refused", "credentials-rejected", () =>
        withAdmin({ ...boss(), password: "never-in-a-log-3" }),
      );
      refused("AWSCURRENT's password refused at the admin's server", "credentials-rejected", () =>
        withAdmin(boss(), { password: "never-in-a-log-4" }),
      );
    },
  };
}
