import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { probeName } from "../../src/probe-secret.ts";
import { preamble } from "../../src/sql.ts";
import type { Connection, Statement } from "../../src/transport.ts";
import type { Refusal } from "./api-front.ts";
import { contextOf, type Fixture, FUNCTION_NAME, KMS_KEY, startFixture } from "./fixture.ts";

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture();
});
afterAll(() => fixture[Symbol.asyncDispose]());
beforeEach(() => {
  fixture.dataFront.intercept = () => undefined;
  fixture.dataFront.answering = (_operation, text) => text;
  fixture.secretsFront.intercept = () => undefined;
  fixture.readSecrets("at-submission");
  fixture.calls();
});

const current = () => ({ ...fixture.app, secretArn: fixture.secretArn });

async function connected(login: Fixture["app"] = current(), context = contextOf(fixture)): Promise<Connection> {
  const connection = await fixture.transport.connect(login, context);
  if (connection === "rejected") throw new Error("The login was rejected");
  fixture.calls();
  return connection;
}

const asking = (sql: string, parameters?: Record<string, string>): Statement => ({
  sql,
  doing: "asking",
  ...(parameters && { parameters }),
});

describe("a login", () => {
  test("with what AWSCURRENT has goes by the secret itself: three calls, and no probe secret", async () => {
    const connection = await fixture.transport.connect(current(), contextOf(fixture));
    expect(connection).toMatchObject({ user: "app" });
    expect(fixture.calls()).toEqual(["BatchExecuteStatement", "DescribeStatement", "GetStatementResult"]);
  });

  test("with other credentials goes by a probe secret, under the source's key, which is gone afterwards: three calls more", async () => {
    let probe: object | undefined;
    fixture.dataFront.intercept = async (operation) => {
      if (operation === "BatchExecuteStatement") [probe] = await fixture.probes();
      return undefined;
    };
    const connection = await fixture.transport.connect(fixture.app, contextOf(fixture));
    expect(connection).toMatchObject({ user: "app" });
    if (connection !== "rejected") await connection.close();
    // The role of another function of the account has no rights on this name.
    const Name = expect.stringMatching(/^quarterturn-probe\/warehouse-rotation\/\w{40}$/);
    expect(probe).toMatchObject({ KmsKeyId: KMS_KEY, Name });
    expect(fixture.calls()).toEqual([
      "DescribeSecret",
      "CreateSecret",
      "BatchExecuteStatement",
      "DescribeStatement",
      "GetStatementResult",
      "DeleteSecret",
    ]);
    expect(await fixture.probes()).toEqual([]);
  });

  test("asks for columns by the names that the query gives them, whatever the parameter group says", async () => {
    let described = "";
    fixture.dataFront.answering = (operation, text) => {
      if (operation === "DescribeStatement") described = text;
      return text;
    };
    await connected();
    expect(JSON.parse(described).SubStatements.map((part: { QueryString: string }) => part.QueryString)).toEqual([
      ...preamble.map(({ sql }) => sql),
      expect.stringMatching(/^SELECT current_user AS name/),
    ]);
  });

  test("whose user the server does not name is an error", async () => {
    fixture.dataFront.answering = (operation, text) =>
      operation === "GetStatementResult" ? JSON.stringify({ ...JSON.parse(text), Records: [] }) : text;
    await expect(fixture.transport.connect(current(), contextOf(fixture))).rejects.toMatchObject({ code: "database" });
  });

  test("that the database refuses is rejected, and leaves no probe secret", async () => {
    expect(await fixture.transport.connect({ ...fixture.app, password: "wrong" }, contextOf(fixture))).toBe("rejected");
    expect(await fixture.transport.connect({ ...fixture.app, username: "nobody" }, contextOf(fixture))).toBe(
      "rejected",
    );
    expect(await fixture.probes()).toEqual([]);
  });

  test.each(["warehouse.example.com", "warehouse.xyz789.eu-west-1.redshift.amazonaws.com"])(
    "at %s, which is no endpoint or another Region's, is refused before anything is called",
    async (host) => {
      const login = { ...fixture.app, host };
      await expect(fixture.transport.connect(login, contextOf(fixture))).rejects.toMatchObject({ code: "bad-secret" });
      expect(fixture.calls()).toEqual([]);
    },
  );

  test("to a database that does not exist: bad-secret, and no probe secret stays", async () => {
    const login = { ...fixture.app, dbname: "nowhere" };
    await expect(fixture.transport.connect(login, contextOf(fixture))).rejects.toMatchObject({
      code: "bad-secret",
      message: expect.stringMatching(/^warehouse\.abc123.*:5439 \(as "app"\): .*database "nowhere" does not exist/),
    });
    expect(await fixture.probes()).toEqual([]);
  });
});

describe("a probe secret", () => {
  test("that a killed run left is not used, and is gone afterwards", async () => {
    const Name = probeName(fixture.secretArn, FUNCTION_NAME);
    await fixture.sm.createSecret({ Name, SecretString: '{"username":"app","password":"right"}' });
    expect(await fixture.transport.connect({ ...fixture.app, password: "wrong" }, contextOf(fixture))).toBe("rejected");
    expect(await fixture.probes()).toEqual([]);
  });

  test("whose name is still being deleted is made when that is over", async () => {
    const Name = probeName(fixture.secretArn, FUNCTION_NAME);
    await fixture.sm.createSecret({ Name, SecretString: "old" });
    await fixture.sm.deleteSecret({ SecretId: Name, RecoveryWindowInDays: 7 });
    let left = 3;
    fixture.secretsFront.intercept = (operation) => {
      const message = "You can't create this secret because a secret with this name is already scheduled for deletion.";
      return operation === "CreateSecret" && left-- > 0
        ? { status: 400, code: "InvalidRequestException", message }
        : undefined;
    };
    await (await connected(fixture.app)).close();
    expect(left).toBeLessThan(0);
    expect(await fixture.probes()).toEqual([]);
  });

  test("whose name does not become free is an error before the deadline", async () => {
    fixture.secretsFront.intercept = (operation) =>
      operation === "CreateSecret" ? { status: 400, code: "ResourceExistsException", message: "exists" } : undefined;
    const started = performance.now();
    await expect(fixture.transport.connect(fixture.app, contextOf(fixture, 3_000))).rejects.toMatchObject({
      code: "service",
      message: expect.stringMatching(
        /the probe secret quarterturn-probe\/warehouse-rotation\/\w+ is still being deleted/,
      ),
    });
    expect(performance.now() - started).toBeLessThan(3_000);
  });

  test.each(["at-submission", "at-start"] as const)(
    "that another run takes away before it is used, which is read %s, is made again",
    async (readsSecret) => {
      fixture.readSecrets(readsSecret);
      let thefts = 2;
      fixture.dataFront.intercept = async (operation) => {
        if (operation === "BatchExecuteStatement" && thefts-- > 0) {
          const [probe] = await fixture.probes();
          await fixture.sm.deleteSecret({ SecretId: probe?.ARN, ForceDeleteWithoutRecovery: true });
          await fixture.sm.createSecret({ Name: probe?.Name, SecretString: '{"username":"boss","password":"x"}' });
        }
        return undefined;
      };
      const connection = await connected(fixture.app);
      expect(connection.user).toBe("app");
      await connection.close();
      expect(await fixture.probes()).toEqual([]);
    },
  );

  test("of two runs at once: each uses its own", async () => {
    const logins = [
      fixture.app,
      { ...fixture.app, password: "wrong" },
      fixture.app,
      { ...fixture.app, password: "no" },
    ];
    const connections = await Promise.all(
      logins.map(async (login) => {
        const connection = await fixture.transport.connect(login, contextOf(fixture));
        if (connection === "rejected") return connection;
        await connection.close();
        return connection.user;
      }),
    );
    expect(connections).toEqual(["app", "rejected", "app", "rejected"]);
    expect(await fixture.probes()).toEqual([]);
  });

  test("that may not be made: privilege, with the action that is missing", async () => {
    const message = "User: f is not authorized to perform: secretsmanager:CreateSecret on resource: r";
    fixture.secretsFront.intercept = (operation) =>
      operation === "CreateSecret" ? { status: 400, code: "AccessDeniedException", message } : undefined;
    await expect(fixture.transport.connect(fixture.app, contextOf(fixture))).rejects.toMatchObject({
      code: "privilege",
      message: expect.stringMatching(/secretsmanager:CreateSecret failed/),
    });
  });

  test("that may not be deleted fails the step, and the next try deletes it", async () => {
    fixture.secretsFront.intercept = (operation) =>
      operation === "DeleteSecret" ? { status: 400, code: "AccessDeniedException", message: "no" } : undefined;
    const refusal = {
      code: "privilege",
      message: expect.stringMatching(/:secret:quarterturn-probe\/\S+: secretsmanager:DeleteSecret failed/),
    };
    const connection = await connected(fixture.app);
    await expect(connection.close()).rejects.toMatchObject(refusal);
    fixture.secretsFront.intercept = () => undefined;
    await (await connected(fixture.app)).close();
    expect(await fixture.probes()).toEqual([]);
  });

  test("that may not be deleted is told in the log where the login itself failed", async () => {
    const context = contextOf(fixture);
    fixture.secretsFront.intercept = (operation) =>
      operation === "DeleteSecret" ? { status: 400, code: "AccessDeniedException", message: "no" } : undefined;
    await expect(fixture.transport.connect({ ...fixture.app, dbname: "nowhere" }, context)).rejects.toMatchObject({
      code: "bad-secret",
    });
    expect(context.lines.map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({ level: "ERROR", reason: expect.stringMatching(/:secret:quarterturn-probe\//) }),
    ]);
    fixture.secretsFront.intercept = () => undefined;
    await (await connected(fixture.app)).close();
    expect(await fixture.probes()).toEqual([]);
  });
});

describe("statements", () => {
  test("give rows with the types of their columns", async () => {
    const connection = await connected();
    expect(
      await connection.run([
        asking("SELECT 1 AS one, 1.5::float8 AS half, true AS yes, NULL::text AS none, 'x' AS text"),
      ]),
    ).toEqual([[{ one: 1, half: 1.5, yes: true, none: null, text: "x" }]]);
  });

  test("take their parameters beside the text, in one alone and in several", async () => {
    const connection = await connected();
    const hostile = `'; DROP USER app; -- :b "`;
    const one = asking("SELECT :a AS a", { a: hostile });
    expect(await connection.run([one])).toEqual([[{ a: hostile }]]);
    const other = asking("SELECT :a AS a, :b AS b, :a AS c", { a: "1", b: "2" });
    expect(await connection.run([one, asking("SELECT 3 AS three"), other])).toEqual([
      [{ a: hostile }],
      [{ three: 3 }],
      [{ a: "1", b: "2", c: "1" }],
    ]);
  });

  test("give all rows, however many pages they fill", async () => {
    const connection = await connected();
    const [rows] = await connection.run([asking("SELECT n FROM pg_catalog.generate_series(1, 2500) n")]);
    expect(rows?.map(({ n }) => n)).toEqual(Array.from({ length: 2_500 }, (_, index) => index + 1));
  });

  test("are one transaction: where one fails, what came before it is undone, and the error says which it was", async () => {
    const connection = await connected();
    const failing = connection.run([
      { sql: `ALTER USER "app" SET datestyle TO 'German'`, doing: "setting a format" },
      { sql: "SELECT passwd FROM pg_catalog.pg_shadow", doing: "reading passwords", remedy: "Ask an admin." },
    ]);
    await expect(failing).rejects.toMatchObject({
      code: "privilege",
      message: expect.stringMatching(/reading passwords: ERROR: permission denied for view pg_shadow\. Ask an admin\./),
    });
    const settings = "SELECT useconfig FROM pg_catalog.pg_user WHERE usename = 'app'";
    expect((await fixture.superuser.query(settings)).rows).toEqual([{ useconfig: null }]);
  });

  test("beyond forty go in several transactions, each with the settings of the head", async () => {
    const connection = await connected();
    const settings = asking("SET LOCAL search_path TO pg_catalog");
    const count = asking("SELECT pg_catalog.current_setting('search_path') AS path");
    const results = await connection.run([settings, ...Array.from({ length: 100 }, () => count)]);
    expect(results).toEqual([[], ...Array.from({ length: 100 }, () => [{ path: "pg_catalog" }])]);
    expect(fixture.calls().filter((call) => call === "BatchExecuteStatement")).toHaveLength(3);
  });

  describe("that do not end in time", () => {
    const waiting = async () => (await fixture.superuser.query("SELECT mode FROM pg_locks WHERE NOT granted")).rows;

    beforeAll(async () => {
      await fixture.superuser.query("CREATE TABLE public.held (id int); GRANT ALL ON public.held TO app");
      await fixture.superuser.query("BEGIN; LOCK TABLE public.held IN ACCESS EXCLUSIVE MODE");
    });
    afterAll(() => fixture.superuser.query("ROLLBACK; DROP TABLE public.held"));

    const count = async () => {
      const connection = await connected(current(), contextOf(fixture, 2_000));
      const counted = connection.run([{ sql: "SELECT count(*) FROM public.held", doing: "counting" }]);
      await expect.poll(waiting).toHaveLength(1);
      return counted;
    };

    test("are cancelled: timeout, and they have no effect afterwards", async () => {
      await expect(count()).rejects.toMatchObject({
        code: "timeout",
        message: expect.stringMatching(/counting: it had not ended after \d+ ms and was cancelled/),
      });
      await expect.poll(waiting).toEqual([]);
    });

    test("and that nobody cancels, as where the function was killed, end by themselves", async () => {
      fixture.dataFront.intercept = (operation) =>
        operation === "CancelStatement" ? { status: 400, code: "ValidationException", message: "no" } : undefined;
      await expect(count()).rejects.toMatchObject({ code: "timeout" });
      await expect.poll(waiting, { timeout: 2_000 }).toEqual([]);
    });
  });

  test("that start after the function has gone change nothing", async () => {
    const connection = await connected(current(), contextOf(fixture, 2_000));
    const start = Promise.withResolvers<void>();
    fixture.picked = () => start.promise;
    let id = "";
    fixture.dataFront.answering = (_operation, text) => {
      id = JSON.parse(text).Id ?? id;
      return text;
    };
    fixture.dataFront.intercept = (operation) =>
      operation === "CancelStatement" ? { status: 400, code: "ValidationException", message: "no" } : undefined;
    const late = connection.run([{ sql: `ALTER USER "app" SET datestyle TO 'German'`, doing: "setting" }]);
    await expect(late).rejects.toMatchObject({ code: "timeout" });
    const { SubStatements: parts = [] } = await fixture.describe(id);
    const [, latest] = /GETDATE\(\)\) <= (\d+) /.exec(parts[2]?.QueryString ?? "") ?? [];
    expect(Number(latest)).toBeLessThan(Date.now() / 1_000 + 3);
    await sleep((Number(latest) + 1) * 1_000 - Date.now());
    start.resolve();
    fixture.picked = () => undefined;
    await expect
      .poll(() => fixture.describe(id), { timeout: 5_000 })
      .toMatchObject({
        Status: "FAILED",
        Error: expect.stringMatching(/division by zero/),
        SubStatements: [{ Status: "FINISHED" }, { Status: "FINISHED" }, { Status: "FAILED" }],
      });
    const settings = "SELECT useconfig FROM pg_catalog.pg_user WHERE usename = 'app'";
    expect((await fixture.superuser.query(settings)).rows).toEqual([{ useconfig: null }]);
  });

  test("whose submission is not answered are found again and cancelled", async () => {
    const connection = await connected(current(), contextOf(fixture, 2_000));
    const start = Promise.withResolvers<void>();
    fixture.picked = () => start.promise;
    const ids: string[] = [];
    fixture.dataFront.answering = async (operation, text) => {
      if (operation === "BatchExecuteStatement" && ids.push(JSON.parse(text).Id) === 1) await start.promise;
      return text;
    };
    await expect(connection.run([asking("SELECT 1")])).rejects.toMatchObject({
      code: "timeout",
      message: expect.stringMatching(/BatchExecuteStatement failed: AbortError: .* \(it was cancelled\)/),
    });
    start.resolve();
    fixture.picked = () => undefined;
    const [id = "", again] = ids;
    expect(again).toBe(id);
    await expect.poll(() => fixture.describe(id), { timeout: 5_000 }).toMatchObject({ Status: "ABORTED" });
    expect(fixture.calls()).toEqual(["BatchExecuteStatement", "BatchExecuteStatement", "CancelStatement"]);
  });

  test("whose text the server cannot read are not quoted in the error", async () => {
    const connection = await connected();
    const failing = connection.run([{ sql: "SELECT 'hush' 'hush' FRM x", doing: "asking" }]);
    const error: unknown = await failing.catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "database" });
    expect((error as Error).message).not.toMatch(/FRM|hush/);
  });

  test("after the password was changed by somebody else: superseded", async () => {
    const connection = await connected();
    await fixture.sm.putSecretValue({ SecretId: fixture.secretArn, SecretString: '{"username":"app","password":"x"}' });
    await expect(connection.run([asking("SELECT 1")])).rejects.toMatchObject({ code: "superseded" });
    const SecretString = '{"username":"app","password":"right"}';
    await fixture.sm.putSecretValue({ SecretId: fixture.secretArn, SecretString });
  });
});

describe("an error of the API is told with where and what to do", () => {
  test.each([
    ["AccessDeniedException", "User: f is not authorized to perform: redshift-data:BatchExecuteStatement", "privilege"],
    ["ValidationException", "Redshift endpoint doesn't exist in this region.", "unreachable"],
    ["ValidationException", "The cluster is paused.", "busy"],
    ["ActiveStatementsExceededException", "Active statements exceeded the allowed quota (500).", "busy"],
    ["ValidationException", "username and password in secret cannot be empty", "bad-secret"],
    ["ValidationException", "Something else", "service"],
  ])("%s %s: %s", async (code, message, expected) => {
    fixture.dataFront.intercept = () => ({ status: 400, code, message });
    await expect(fixture.transport.connect(current(), contextOf(fixture))).rejects.toMatchObject({
      code: expected,
      message: expect.stringContaining(
        `redshift.amazonaws.com:5439 (as "app"): redshift-data:BatchExecuteStatement failed: ${code}`,
      ),
    });
  });

  test("throttling is waited out by the SDK", async () => {
    let left = 1;
    fixture.dataFront.intercept = () =>
      left-- > 0 ? { status: 400, code: "ThrottlingException", message: "Rate exceeded" } : undefined;
    expect((await connected()).user).toBe("app");
  });

  test("no answer at all: timeout, before the deadline", async () => {
    const late = Promise.withResolvers<Refusal>();
    fixture.dataFront.intercept = () => late.promise;
    const started = performance.now();
    await expect(fixture.transport.connect(current(), contextOf(fixture, 1_000))).rejects.toMatchObject({
      code: "timeout",
    });
    expect(performance.now() - started).toBeLessThan(1_000);
    late.resolve({ status: 400, code: "ValidationException", message: "too late" });
  });
});
