import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Connection, Statement } from "../../src/transport.ts";
import type { Refusal } from "./api-front.ts";
import { contextOf, type Fixture, KMS_KEY, startFixture } from "./fixture.ts";

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture();
});
afterAll(() => fixture[Symbol.asyncDispose]());
beforeEach(() => {
  fixture.dataFront.intercept = () => undefined;
  fixture.secretsFront.intercept = () => undefined;
  fixture.calls();
});

const current = () => ({ ...fixture.app, secretArn: fixture.secretArn });

async function connected(login = current(), context = contextOf(fixture)): Promise<Connection> {
  const connection = await fixture.transport.connect(login, context);
  if (connection === "rejected") throw new Error("The login was rejected");
  return connection;
}

const asking = (sql: string, parameters?: Record<string, string>): Statement => ({
  sql,
  doing: "asking",
  ...(parameters && { parameters }),
});

describe("a login", () => {
  test("with what AWSCURRENT has goes by the secret itself: two calls, and no probe secret", async () => {
    const connection = await connected();
    await connection.close();
    expect(connection.user).toBe("app");
    expect(fixture.calls()).toEqual(["ExecuteStatement", "GetStatementResult"]);
  });

  test("with other credentials goes by a probe secret, under the source's key, which is gone afterwards: two calls more", async () => {
    let described: object | undefined;
    fixture.dataFront.intercept = async (operation) => {
      if (operation === "ExecuteStatement") described = (await fixture.probes())[0];
      return undefined;
    };
    const connection = await connected(fixture.app as ReturnType<typeof current>);
    expect(connection.user).toBe("app");
    await connection.close();
    expect(described).toMatchObject({ KmsKeyId: KMS_KEY });
    expect(fixture.calls()).toEqual(["CreateSecret", "ExecuteStatement", "GetStatementResult", "DeleteSecret"]);
    expect(await fixture.probes()).toEqual([]);
  });

  test("that the database refuses is rejected, and leaves no probe secret", async () => {
    const login = { ...fixture.app, password: "wrong" };
    expect(await fixture.transport.connect(login, contextOf(fixture))).toBe("rejected");
    expect(fixture.calls()).toEqual(["CreateSecret", "ExecuteStatement", "DescribeStatement", "DeleteSecret"]);
    expect(await fixture.probes()).toEqual([]);
  });

  test("at a host that is nobody's endpoint is refused before anything is called", async () => {
    const login = { ...fixture.app, host: "warehouse.example.com" };
    await expect(fixture.transport.connect(login, contextOf(fixture))).rejects.toMatchObject({ code: "bad-secret" });
    expect(fixture.calls()).toEqual([]);
  });
});
