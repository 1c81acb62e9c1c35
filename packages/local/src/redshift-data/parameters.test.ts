import { describe, expect, it } from "vitest";
import { bind } from "./parameters.ts";

const one = (sql: string, values: Readonly<Record<string, string>>) =>
  bind(
    [sql],
    Object.entries(values).map(([name, value]) => ({ name, value })),
  )[0];

describe("named parameters are bound", () => {
  it.each([
    ["select :a", "select $1", ["x"]],
    ["select :a, :b, :a", "select $1, $2, $1", ["x", "y"]],
    ["select :a::int, :b::varchar", "select $1::int, $2::varchar", ["x", "y"]],
    ["select ':a', :a, :b", "select ':a', $1, $2", ["x", "y"]],
    ["select ':a '' :a', :a, :b", "select ':a '' :a', $1, $2", ["x", "y"]],
    ['select ":a", :a, :b', 'select ":a", $1, $2', ["x", "y"]],
    ["select :a -- :b\n, :b /* :c */", "select $1 -- :b\n, $2 /* :c */", ["x", "y"]],
    ["select $$:c$$, $q$:c$q$, :a, :b", "select $$:c$$, $q$:c$q$, $1, $2", ["x", "y"]],
  ])("in %j, and what only looks like one is left alone", (sql, bound, values) => {
    const given = values.length === 1 ? { a: "x" } : { a: "x", b: "y" };
    expect(one(sql, given)).toEqual({ sql: bound, values });
  });

  it("over all statements of a batch, each with those that it uses", () => {
    const parameters = [
      { name: "a", value: "x" },
      { name: "b", value: "y" },
    ];
    expect(bind(["select :b", "select 1", "select :a, :b"], parameters)).toEqual([
      { sql: "select $1", values: ["y"] },
      { sql: "select 1", values: [] },
      { sql: "select $1, $2", values: ["x", "y"] },
    ]);
  });
});

it.each([
  ["select :a", { b: "y" }, "The parameter a is used in the statement and has no value."],
  ["select ':a'", { a: "x" }, "The parameter a is not used in any statement."],
])("%j with %j is refused", (sql, given, message) => {
  expect(() => one(sql, given)).toThrow(expect.objectContaining({ code: "ValidationException", message }));
});

it("a statement without parameters is left as it is", () => {
  expect(one("select a[1:2], b:c", {})).toEqual({ sql: "select a[1:2], b:c", values: [] });
});
