import { createRedactor } from "@quarterturn/core";
import { expect, test } from "vitest";
import type { Context } from "../src/context.ts";
import { databaseVersion, differenceOf, rotationContext } from "../src/login.ts";
import type { Secret } from "../src/secret.ts";

test("an engine's warning is told with the statement that helps, and without secrets", () => {
  const notes: string[] = [];
  const redactor = createRedactor();
  redactor.learn('{"password":"never-shown"}');
  const context = { redactor, note: (line) => void notes.push(line) } as Pick<Context, "note" | "redactor"> as Context;
  const { log } = rotationContext(context, { arn: "any" } as Secret);
  log.warn("An admin can run the statement", { objects: 2, statement: "GRANT never-shown TO app;" });
  expect(notes).toEqual(["An admin can run the statement; objects 2; statement GRANT [redacted] TO app;"]);
});

test.each([
  ["its password and options", {}, { password: "another", dbname: "another" }, undefined],
  ["the other user of its pair", {}, { username: "app_clone" }, undefined],
  ["the server", {}, { port: 5440 }, "another server (db:5440)"],
  ["the product at that address", {}, { engine: "redshift" }, "another server (db:5439)"],
  ["the user", {}, { username: "other" }, 'another user ("other")'],
  ["the database of the user", { engine: "mongo" }, { engine: "mongo", authSource: "shop" }, 'another user ("app")'],
  [
    "its database where that is the user's",
    { engine: "mongo" },
    { engine: "mongo", dbname: "shop" },
    'another user ("app")',
  ],
])("a version that differs in %s from another", async (_, one, other, difference) => {
  const own = { engine: "postgres", host: "db", port: 5439, username: "app", password: "never-shown" };
  const version = (keys: object) => databaseVersion(JSON.stringify({ ...own, ...keys }), "a version");
  expect(differenceOf(await version(one), await version(other))).toBe(difference);
});
