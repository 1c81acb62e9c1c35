import { jsonLog } from "@quarterturn/core";
import type { Document } from "bson";
import { expect, test } from "vitest";
import { statementError } from "./errors.ts";
import { isAlike, readUser, writeUser } from "./users.ts";
import { ServerError } from "./wire.ts";

/** The commands that a server gets, one after the other, for a change that it refuses with this error wherever it may. */
async function commandsFor(command: Document, code: number): Promise<readonly Document[]> {
  const asked: Document[] = [];
  const run = async (_: string, each: Document, doing: string) => {
    asked.push(each);
    throw statementError(new ServerError({ code, errmsg: "no" }), "h:1", doing, undefined);
  };
  const log = jsonLog(() => undefined, "DEBUG", {}, String);
  const written = writeUser(run, log, "shop", command, "changing", "nothing helps");
  await expect(written).rejects.toMatchObject({ cause: { code } });
  return asked;
}

const updateUser = { updateUser: "app", roles: [] };

test.each([2, 9, 72, 303, 40_415, 0])(
  "error %i of a server to fields that it may not have: once more without",
  async (code) => {
    for (const fields of [{ customData: {} }, { mechanisms: ["SCRAM-SHA-1"] }])
      expect(await commandsFor({ ...updateUser, ...fields }, code)).toEqual([{ ...updateUser, ...fields }, updateUser]);
    expect(await commandsFor(updateUser, code)).toEqual([updateUser]);
  },
);

test.each([13, 11, 51_003, 10_107, 189, 91])("error %i is not of the fields", async (code) => {
  const command = { ...updateUser, customData: {} };
  expect(await commandsFor(command, code)).toEqual([command]);
});

test("a user that has every mechanism is given none by name", async () => {
  const reading = (mechanisms: unknown) => readUser(async () => ({ users: [{ mechanisms }] }), "shop", "app");
  expect(await reading(["SCRAM-SHA-1", "SCRAM-SHA-256"])).toMatchObject({ mechanisms: undefined });
  expect(await reading(["SCRAM-SHA-1"])).toMatchObject({ mechanisms: ["SCRAM-SHA-1"] });
});

test("roles of one name in two databases are two, and their order is none", () => {
  const user = (...roles: readonly string[]) => ({
    roles: roles.map((text) => ({ role: text.split("@")[0], db: text.split("@")[1] })),
    customData: {},
  });
  expect(isAlike(user("read@shop", "read@other"), user("read@other", "read@shop"))).toBe(true);
  expect(isAlike(user("read@shop"), user("read@other"))).toBe(false);
  expect(isAlike(user("read@shop"), user("read@shop", "write@shop"))).toBe(false);
});
