import fc from "fast-check";
import { expect, it } from "vitest";
import { AS_APP, playedWarehouse, startBoth } from "../../test/played-warehouse.ts";
import { expectShape, post } from "../../test/raw-request.ts";
import { inputSchemas } from "./input.ts";

it("answers every body for every operation with a result or a code, never an internal error, and goes on", async () => {
  const warehouse = playedWarehouse((sql) => {
    if (sql.length % 3 === 0) throw new Error("ERROR: no");
    return sql.length % 3 === 1 ? undefined : [["x", 1, true, null]];
  });
  const { data, client } = await startBoth(warehouse);
  const { Id: id = "" } = await client.executeStatement({ ...AS_APP, Sql: "ab" });
  const { Id: batch = "" } = await client.batchExecuteStatement({ ...AS_APP, Sqls: ["ab", "abc"] });
  const port = Number(new URL(data.url).port);

  const operations = fc.constantFrom(...Object.keys(inputSchemas));
  const members = fc.constantFrom(
    ...new Set(Object.values(inputSchemas).flatMap((schema) => Object.keys(schema.entries))),
  );
  const parameters = fc.array(fc.record({ name: fc.constantFrom("a", "b"), value: fc.constantFrom("x", "'") }), {
    maxLength: 2,
  });
  const usual = fc.record(
    {
      Sql: fc.constantFrom("a", "ab", "abc", "select :a", "select ':a' :b", "'"),
      Sqls: fc.array(fc.constantFrom("a", "ab", "abc", ":a"), { maxLength: 3 }),
      Id: fc.constantFrom(id, batch, `${batch}:1`, `${batch}:2`, `${id}:1`, id.replace(/.$/, "0"), "x"),
      ClusterIdentifier: fc.constant("one"),
      Database: fc.constant("dev"),
      SecretArn: fc.constantFrom("app", "app", "app", "nobody"),
      ClientToken: fc.string({ minLength: 1, maxLength: 2 }),
      NextToken: fc.constantFrom("0", "1000", "x"),
    },
    { requiredKeys: ["Sql", "Sqls", "Id", "Database", "SecretArn", "ClusterIdentifier"] },
  );
  const values = fc.oneof(
    fc.string(),
    fc.boolean(),
    fc.integer(),
    fc.json().map((json): unknown => JSON.parse(json)),
  );
  const inputs = fc.oneof(
    { weight: 3, arbitrary: usual },
    {
      weight: 1,
      arbitrary: fc
        .tuple(usual, parameters, fc.dictionary(members, values, { maxKeys: 3 }))
        .map(([meant, Parameters, strange]) => ({ ...meant, Parameters, ...strange, WaitTimeSeconds: 0 })),
    },
  );
  const bodies = fc.oneof(
    { weight: 6, arbitrary: inputs.map((input) => Buffer.from(JSON.stringify(input))) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)) },
    { weight: 1, arbitrary: fc.json().map((json) => Buffer.from(json)) },
  );
  let succeeded = 0;
  await fc.assert(
    fc.asyncProperty(operations, bodies, async (operation, body) => {
      const target = { "x-amz-target": `RedshiftData.${operation}`, "content-type": "application/x-amz-json-1.1" };
      const answer = await post(port, target, body);
      if (answer.status === 200) succeeded += 1;
      else expectShape({ ...answer, body: { ...Object(answer.body), ResourceId: undefined } });
    }),
    { numRuns: 300 },
  );
  // Not everything was refused at the door.
  expect(succeeded).toBeGreaterThan(30);
  const last = await client.executeStatement({ ...AS_APP, Sql: "ab", WaitTimeSeconds: 5 });
  expect((await client.getStatementResult({ Id: last.Id })).Records).toHaveLength(1);
});
