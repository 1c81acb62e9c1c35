import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { refuseCurrent } from "../availability.ts";
import type { ConformanceCase } from "../conformance-case.ts";
import type { Harness } from "../harness.ts";
import { judged, lacks } from "../judged.ts";
import type { SecretObject, Target } from "../target.ts";

/** What somebody may have written into the pending version. */
interface Alteration {
  readonly of: string;
  /** The key that says it: a secret without it cannot be another's by it. */
  readonly key: string;
  change(next: SecretObject, current: SecretObject, bystander: SecretObject, target: Target): SecretObject;
}

const alterations: readonly Alteration[] = [
  { of: "another user", key: "username", change: (next, _current, other) => ({ ...next, username: other.username }) },
  {
    of: "another user with that user's own password",
    key: "username",
    change: (next, _current, other) => ({ ...next, username: other.username, password: other.password }),
  },
  {
    of: "another host",
    key: "host",
    change: (next) => ({ ...next, host: next.host === "127.0.0.1" ? "localhost" : "127.0.0.1" }),
  },
  {
    of: "another port",
    key: "port",
    change: (next, _current, _other, target) => ({ ...next, port: target.address.port }),
  },
  { of: "another engine", key: "engine", change: (next) => ({ ...next, engine: "no-such-engine" }) },
];

/** multi-user only: its password is in use. */
const ownUser: Alteration = {
  of: "the user of AWSCURRENT",
  key: "username",
  change: (next, current) => ({ ...next, username: current.username }),
};

/** Where the secret names no user: only the system can say whose a key is, so it may be asked. */
const unnamedUser: Alteration = {
  of: "another user, by the password alone,",
  key: "password",
  change: (next, _current, other) => ({ ...next, password: other.password }),
};

function alterationsFor({ options, secretKeys }: Harness, report: (figure: string) => void): readonly Alteration[] {
  const all = options.strategy === "multi-user" ? [...alterations, ownUser] : alterations;
  const telling = judged(
    all,
    ({ of }) => of,
    ({ key }) => lacks(secretKeys, key),
    report,
  );
  return secretKeys.has("username") ? telling : [...telling, unnamedUser];
}

const pending: ConformanceCase = {
  name: "a pending version for another user, host, port or engine is refused before anything is touched",
  promise: 4,
  async run(harness, report) {
    await harness.each(
      alterationsFor(harness, report),
      ({ of }) => of,
      async (scenario, { key, change }) => {
        const other = await scenario.bystander();
        const current = await scenario.value({ label: "AWSCURRENT" });
        const rotation = await scenario.startRotationTo((next) =>
          scenario.textOf(change(next, current, other, scenario.target)),
        );
        if (key === unnamedUser.key) {
          await scenario.refuse("setSecret", rotation, ["wrong-target", "credentials-rejected"]);
        } else {
          await scenario.refuse("setSecret", rotation, ["wrong-target", "superseded", "bad-secret"]);
          assert.equal(scenario.lane.database.connections, 0, "Nothing may be sent to the database");
        }
      },
    );
  },
};

const previous: ConformanceCase = {
  name: "the credentials of another user in AWSPREVIOUS are not used",
  promise: 4,
  only: { where: "for single-user", holds: ({ strategy }) => strategy === "single-user" },
  run: (harness) =>
    harness.scenario(async (scenario) => {
      const other = await scenario.bystander();
      await scenario.operator.put(scenario.textOf(other));
      await scenario.operator.put(scenario.textOf({ ...scenario.account.secret, password: "not-the-password" }));
      const rotation = await scenario.startRotation();
      await refuseCurrent(harness, scenario, rotation, ["wrong-target", "credentials-rejected"]);
    }),
};

interface BadAdmin {
  readonly is: string;
  text(admin: SecretObject, target: Target): string | undefined;
}

const badAdmins: readonly BadAdmin[] = [
  { is: "missing", text: () => undefined },
  { is: "not JSON", text: () => "q7Zt9Lw2" },
  {
    is: "without a password",
    text: ({ password: _password, ...rest }) => JSON.stringify(rest),
  },
  { is: "for another port", text: (admin, target) => JSON.stringify({ ...admin, port: target.address.port }) },
  { is: "wrong about the password", text: (admin) => JSON.stringify({ ...admin, password: "not-the-password" }) },
];

const admin: ConformanceCase = {
  name: "an admin secret that is missing, malformed, for another server or wrong is refused and nothing is touched",
  promise: 4,
  only: { where: "for multi-user", holds: ({ strategy }) => strategy === "multi-user" },
  async run(harness) {
    await harness.each(
      badAdmins,
      ({ is }) => `the admin secret is ${is}`,
      async (scenario) => {
        const rotation = await scenario.startRotation();
        await scenario.succeed(rotation, ["createSecret"]);
        await scenario.refuse("setSecret", rotation, ["bad-secret", "wrong-target", "credentials-rejected", "service"]);
      },
      ({ text }) => ({ adminText: (secret) => text(secret, harness.target) }),
    );
  },
};

const namesake: ConformanceCase = {
  name: "an account that merely has the name of the pair's other user is somebody else's: it is refused and not touched, be it the twin's or the original's",
  promise: 4,
  only: { where: "for multi-user", holds: ({ strategy }) => strategy === "multi-user" },
  async run(harness) {
    await harness.each(
      [
        { is: "the twin's", wish: {} },
        { is: "the original's", wish: { name: `app${randomBytes(4).toString("hex")}_clone` } },
      ],
      ({ is }) => `the name is ${is}`,
      async (scenario) => {
        const rotation = await scenario.startRotation();
        await scenario.succeed(rotation, ["createSecret"]);
        const { username } = await scenario.value({ version: rotation.token });
        const other = await scenario.bystander(String(username));
        await scenario.refuse("setSecret", rotation, ["wrong-target"]);
        assert.equal(await scenario.target.login(other), "accepted", "The account must log in as before");
      },
      ({ wish }) => wish,
    );
  },
};

export const foreignTargetCases = [pending, previous, admin, namesake] as const;
