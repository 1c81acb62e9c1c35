import type { RedshiftData } from "@aws-sdk/client-redshift-data";
import { describe, expect, it } from "vitest";
import { AS_APP, type Played, playedWarehouse, startBoth } from "../../test/played-warehouse.ts";

const setUp = async (play?: (sql: string, values: readonly string[]) => Played) => {
  const warehouse = playedWarehouse(play);
  return { ...(await startBoth(warehouse)), warehouse };
};

const ended = (client: RedshiftData, Id: string | undefined) => client.describeStatement({ Id, WaitTimeSeconds: 5 });

const failing = (sql: string): Played => {
  if (sql !== "fail") return undefined;
  throw new Error('ERROR: permission denied for relation "t"');
};

describe("a statement", () => {
  it("is submitted first and runs afterwards, as the user whom AWSCURRENT of the secret names", async () => {
    const { client, warehouse } = await setUp();
    const { Id, ...submitted } = await client.executeStatement({ ...AS_APP, Sql: "select 1" });
    expect(submitted).toMatchObject({
      Status: "SUBMITTED",
      ClusterIdentifier: "one",
      Database: "dev",
      SecretArn: "app",
      CreatedAt: expect.any(Date),
    });
    expect(await ended(client, Id)).toMatchObject({ Status: "FINISHED", QueryString: "select 1" });
    expect(warehouse.logins).toEqual([
      { clusterIdentifier: "one", database: "dev", username: "app", password: "right" },
    ]);
    expect(warehouse.sent).toEqual([["select 1"], ["close"]]);
  });

  it("is shown as it proceeds", async () => {
    const { client, warehouse } = await setUp();
    const { Id } = await client.executeStatement({ ...AS_APP, Sql: "hang" });
    await expect.poll(() => warehouse.sent).toEqual([["hang"]]);
    expect(await client.describeStatement({ Id })).toMatchObject({ Status: "STARTED", HasResultSet: false });
  });

  it("is waited for where the caller says so, and not longer", async () => {
    const { client } = await setUp(() => [["x"]]);
    const done = await client.executeStatement({ ...AS_APP, Sql: "select 1", WaitTimeSeconds: 5 });
    expect(done).toMatchObject({ Status: "FINISHED", HasResultSet: true });
    const hanging = await client.executeStatement({ ...AS_APP, Sql: "hang", WaitTimeSeconds: 1 });
    expect(hanging.Status).toBe("STARTED");
  });

  it("goes to a workgroup", async () => {
    const { client, warehouse } = await setUp();
    const { ClusterIdentifier: _cluster, ...as } = AS_APP;
    const { Id } = await client.executeStatement({ ...as, WorkgroupName: "wg-1", Sql: "select 1" });
    expect(await ended(client, Id)).toMatchObject({ Status: "FINISHED", WorkgroupName: "wg-1" });
    expect(warehouse.logins).toEqual([{ workgroupName: "wg-1", database: "dev", username: "app", password: "right" }]);
  });

  it("that the database refuses is FAILED with its words", async () => {
    const { client } = await setUp(failing);
    const { Id } = await client.executeStatement({ ...AS_APP, Sql: "fail" });
    expect(await ended(client, Id)).toMatchObject({
      Status: "FAILED",
      Error: 'ERROR: permission denied for relation "t"',
    });
  });

  it("with a password that the database refuses is accepted, and then FAILED", async () => {
    const { client, sm } = await setUp();
    await sm.putSecretValue({ SecretId: "app", SecretString: '{"username":"app","password":"wrong"}' });
    const { Id } = await client.executeStatement({ ...AS_APP, Sql: "select 1" });
    expect(await ended(client, Id)).toMatchObject({
      Status: "FAILED",
      Error: 'FATAL: password authentication failed for user "app"',
    });
  });

  it("uses the secret as it was when it was submitted", async () => {
    const { client, sm } = await setUp();
    const { Id } = await client.executeStatement({ ...AS_APP, Sql: "select 1" });
    await sm.deleteSecret({ SecretId: "app", ForceDeleteWithoutRecovery: true });
    expect(await ended(client, Id)).toMatchObject({ Status: "FINISHED" });
  });

  it("uses the secret as it is when it starts, where the endpoint was told so", async () => {
    const { client, sm } = await startBoth(playedWarehouse(), "at-start");
    const { Id: id } = await client.executeStatement({ ...AS_APP, Sql: "select 1", WaitTimeSeconds: 5 });
    expect(await ended(client, id)).toMatchObject({ Status: "FINISHED" });
    await sm.deleteSecret({ SecretId: "app", ForceDeleteWithoutRecovery: true });
    const { Id } = await client.executeStatement({ ...AS_APP, Sql: "select 1" });
    expect(await ended(client, Id)).toMatchObject({
      Status: "FAILED",
      Error: "Secrets Manager can't find the specified secret.",
    });
  });

  it("is ABORTED when it is cancelled, and can be cancelled once", async () => {
    const { client, warehouse } = await setUp();
    const { Id } = await client.executeStatement({ ...AS_APP, Sql: "hang" });
    await expect.poll(() => warehouse.sent).toEqual([["hang"]]);
    expect(await client.cancelStatement({ Id })).toMatchObject({ Status: true });
    expect(await ended(client, Id)).toMatchObject({ Status: "ABORTED" });
    await expect(client.cancelStatement({ Id })).rejects.toMatchObject({
      name: "ValidationException",
      message: `Could not cancel a query that is already in ABORTED state with ID: ${Id}`,
    });
  });

  it("that is cancelled before it ran is not run", async () => {
    const connected = Promise.withResolvers<void>();
    const slow = playedWarehouse();
    const { client } = await startBoth({ connect: (login) => connected.promise.then(() => slow.connect(login)) });
    const { Id } = await client.executeStatement({ ...AS_APP, Sql: "select 1" });
    await client.cancelStatement({ Id });
    connected.resolve();
    expect(await ended(client, Id)).toMatchObject({ Status: "ABORTED" });
    expect(slow.sent).toEqual([["close"]]);
  });

  it("is the same one for the same ClientToken, also when asked twice at once", async () => {
    const { client, warehouse } = await setUp();
    const request = { ...AS_APP, Sql: "select 1", ClientToken: "token" };
    const [one, two] = await Promise.all([client.executeStatement(request), client.executeStatement(request)]);
    expect(one.Id).toBe(two.Id);
    await ended(client, one.Id);
    expect(warehouse.sent).toEqual([["select 1"], ["close"]]);
    await expect(client.executeStatement({ ...request, Sql: "select 2" })).rejects.toMatchObject({
      name: "ValidationException",
    });
  });

  it("is refused when 500 are active", async () => {
    const { client, data } = await setUp();
    const headers = { "content-type": "application/x-amz-json-1.1", "x-amz-target": "RedshiftData.ExecuteStatement" };
    const hang = { ...AS_APP, Sql: "hang" };
    for (let batch = 0; batch < 10; batch++) {
      const request = { method: "POST", headers, body: JSON.stringify(hang) };
      await Promise.all(Array.from({ length: 50 }, async () => (await fetch(data.url, request)).json()));
    }
    await expect(client.executeStatement(hang)).rejects.toMatchObject({
      name: "ActiveStatementsExceededException",
      message: "Active statements exceeded the allowed quota (500).",
    });
  });
});

describe("a batch", () => {
  it("is one transaction, and shows its statements", async () => {
    const { client, warehouse } = await setUp((sql) => (sql === "two" ? [["x"]] : undefined));
    const { Id } = await client.batchExecuteStatement({ ...AS_APP, Sqls: ["one", "two"] });
    expect(await ended(client, Id)).toMatchObject({
      Status: "FINISHED",
      SubStatements: [
        { Id: `${Id}:1`, Status: "FINISHED", HasResultSet: false, QueryString: "one", ResultRows: 3 },
        { Id: `${Id}:2`, Status: "FINISHED", HasResultSet: true, QueryString: "two", ResultRows: 1 },
      ],
    });
    expect(warehouse.sent).toEqual([["BEGIN"], ["one"], ["two"], ["COMMIT"], ["close"]]);
    expect((await client.getStatementResult({ Id: `${Id}:2` })).Records).toEqual([[{ stringValue: "x" }]]);
  });

  it("fails as a whole with the statement that failed, and what comes after is not run", async () => {
    const { client, warehouse } = await setUp(failing);
    const { Id } = await client.batchExecuteStatement({ ...AS_APP, Sqls: ["one", "fail", "three"] });
    expect(await ended(client, Id)).toMatchObject({
      Status: "FAILED",
      Error: 'Query #2 failed with ERROR: permission denied for relation "t"',
      SubStatements: [
        { Status: "FINISHED" },
        { Status: "FAILED", Error: 'ERROR: permission denied for relation "t"' },
        { Status: "ABORTED" },
      ],
    });
    expect(warehouse.sent).toEqual([["BEGIN"], ["one"], ["fail"], ["close"]]);
  });
});

describe("results", () => {
  it("are typed", async () => {
    const { client } = await setUp(() => [["text", 9_007_199_254_740_991, 1.5, true, null]]);
    const { Id } = await client.executeStatement({ ...AS_APP, Sql: "select" });
    await ended(client, Id);
    expect(await client.getStatementResult({ Id })).toMatchObject({
      ColumnMetadata: [{ name: "c1" }, { name: "c2" }, { name: "c3" }, { name: "c4" }, { name: "c5" }],
      Records: [
        [
          { stringValue: "text" },
          { longValue: 9_007_199_254_740_991 },
          { doubleValue: 1.5 },
          { booleanValue: true },
          { isNull: true },
        ],
      ],
      TotalNumRows: 1,
    });
  });

  it("come in pages, every row once", async () => {
    const rows = Array.from({ length: 2_500 }, (_, index) => [index]);
    const { client } = await setUp(() => rows);
    const { Id } = await client.executeStatement({ ...AS_APP, Sql: "select", WaitTimeSeconds: 5 });
    const values: unknown[] = [];
    let NextToken: string | undefined;
    do {
      const page = await client.getStatementResult({ Id, NextToken });
      values.push(...(page.Records ?? []).flat().map((field) => field.longValue));
      NextToken = page.NextToken;
    } while (NextToken !== undefined);
    expect(values).toEqual(rows.flat());
  });

  it.each([
    ["a statement that returns none", "one"],
    ["a statement that failed", "fail"],
    ["a statement that still runs", "hang"],
  ])("do not exist for %s", async (_what, Sql) => {
    const { client } = await setUp(failing);
    const { Id } = await client.executeStatement({ ...AS_APP, Sql, WaitTimeSeconds: 1 });
    await expect(client.getStatementResult({ Id })).rejects.toMatchObject({
      name: "ResourceNotFoundException",
      message: "Query does not have result. Please check query status with DescribeStatement.",
      ResourceId: Id,
    });
  });
});

describe("a request that cannot be carried out", () => {
  const { SecretArn: _secret, ...withoutSecret } = AS_APP;
  const { ClusterIdentifier: _cluster, ...withoutCluster } = AS_APP;
  const { Database: _database, ...withoutDatabase } = AS_APP;
  it.each([
    [withoutSecret, "This endpoint knows no temporary credentials: provide SecretArn."],
    [withoutCluster, "Either ClusterIdentifier, WorkgroupName or SessionId must be provided."],
    [{ ...AS_APP, WorkgroupName: "wg-1" }, "ClusterIdentifier and WorkgroupName can't both be provided."],
    [withoutDatabase, "Database must be provided."],
    [{ ...AS_APP, SessionKeepAliveSeconds: 1 }, /keeps no sessions/],
    [{ ...AS_APP, SecretArn: "nobody" }, "Secrets Manager can't find the specified secret."],
    [{ ...AS_APP, SecretArn: "empty" }, "username and password in secret cannot be empty"],
    [{ ...AS_APP, SecretArn: "text" }, "username and password in secret cannot be empty"],
    [{ ...AS_APP, SecretArn: "of-two" }, "The ClusterIdentifier isn't the secret's dbClusterIdentifier."],
    [{ ...AS_APP, Sql: "x".repeat(102_401) }, "A SQL statement can have 102400 bytes at most."],
    [
      { ...withoutCluster, WorkgroupName: "WG" },
      "2 validation errors detected: Value 'WG' at 'workgroupName' failed to satisfy constraint: Member must have length greater than or equal to 3",
    ],
  ])("%j: ValidationException", async (request, message) => {
    const { client, sm, warehouse } = await setUp();
    await sm.createSecret({ Name: "empty", SecretString: '{"username":"app","password":""}' });
    await sm.createSecret({ Name: "text", SecretString: "right" });
    const ofTwo = { username: "app", password: "right", dbClusterIdentifier: "two" };
    await sm.createSecret({ Name: "of-two", SecretString: JSON.stringify(ofTwo) });
    await expect(client.executeStatement({ Sql: "select 1", ...request })).rejects.toMatchObject({
      name: "ValidationException",
      message: typeof message === "string" ? expect.stringContaining(message) : expect.stringMatching(message),
    });
    expect(warehouse.logins).toEqual([]);
  });

  it("may be repeated with its ClientToken when the reason is gone", async () => {
    const { client, sm } = await setUp();
    const request = { ...AS_APP, SecretArn: "later", Sql: "select 1", ClientToken: "token" };
    await expect(client.executeStatement(request)).rejects.toMatchObject({ name: "ValidationException" });
    await sm.createSecret({ Name: "later", SecretString: '{"username":"app","password":"right"}' });
    expect(await client.executeStatement(request)).toMatchObject({ Status: "SUBMITTED" });
  });

  it("for 41 statements: ValidationException", async () => {
    const { client } = await setUp();
    const Sqls = Array.from({ length: 41 }, () => "select 1");
    await expect(client.batchExecuteStatement({ ...AS_APP, Sqls })).rejects.toMatchObject({
      name: "ValidationException",
      message: expect.stringContaining("'sqls' failed to satisfy constraint: Member must have length less than"),
    });
  });

  it.each(["describeStatement", "getStatementResult", "cancelStatement"] as const)(
    "%s of what is no id, or nobody's",
    async (operation) => {
      const { client } = await setUp();
      await expect(client[operation]({ Id: "x" })).rejects.toMatchObject({
        name: "ValidationException",
        message: expect.stringMatching(/^id must satisfy regex pattern: /),
      });
      const Id = "70662acc-f334-46f8-b953-3a9546796d7c";
      await expect(client[operation]({ Id })).rejects.toMatchObject({
        name: "ResourceNotFoundException",
        message: "Query does not exist.",
      });
    },
  );
});

it("no web page can reach it, and what is no operation of this API is UnknownOperationException", async () => {
  const { data, client } = await setUp();
  const post = async (headers: Record<string, string>) =>
    (await fetch(data.url, { method: "POST", headers, body: "{}" })).json();
  const usual = { "content-type": "application/x-amz-json-1.1", "x-amz-target": "RedshiftData.DescribeStatement" };
  expect(await post({ ...usual, origin: "http://127.0.0.1" })).toMatchObject({ __type: "AccessDeniedException" });
  expect(await post({ ...usual, "content-type": "text/plain" })).toMatchObject({ __type: "SerializationException" });
  for (const target of ["secretsmanager.ListSecrets", "RedshiftData.constructor", "RedshiftData.ListTables"]) {
    expect(await post({ ...usual, "x-amz-target": target })).toMatchObject({ __type: "UnknownOperationException" });
  }
  await expect(client.listTables({ Database: "dev" })).rejects.toMatchObject({ name: "UnknownOperationException" });
});

it("ends what runs when it is closed", async () => {
  const { client, data, warehouse } = await setUp();
  await client.executeStatement({ ...AS_APP, Sql: "hang" });
  await expect.poll(() => warehouse.sent).toEqual([["hang"]]);
  await data.close();
  await expect.poll(() => warehouse.sent).toEqual([["hang"], ["close"]]);
});
