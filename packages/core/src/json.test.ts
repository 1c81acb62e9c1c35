import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { editJson } from "./json.ts";

describe("editing a secret's JSON", () => {
  const rows: readonly [string, string, Record<string, unknown>, string][] = [
    ["a value", '{"a":"1","password":"old"}', { password: "new" }, '{"a":"1","password":"new"}'],
    [
      "white space stays",
      '{ "password" :\t"old" ,\n "z": 1 }',
      { password: "new" },
      '{ "password" :\t"new" ,\n "z": 1 }',
    ],
    [
      "a long number and its form stay",
      '{"n":12345678901234567890.0e1,"p":"x"}',
      { p: "y" },
      '{"n":12345678901234567890.0e1,"p":"y"}',
    ],
    ["the order of numeric keys stays", '{"b":1,"2":2,"1":3,"p":"x"}', { p: "y" }, '{"b":1,"2":2,"1":3,"p":"y"}'],
    [
      "a nested member of the same name is another",
      '{"o":{"p":"inner"},"p":"x"}',
      { p: "y" },
      '{"o":{"p":"inner"},"p":"y"}',
    ],
    ["an object as the value is replaced whole", '{"p":{"q":[1,{"r":2}]},"z":0}', { p: "y" }, '{"p":"y","z":0}'],
    ["of duplicates the last, which counts", '{"p":"1","p":"2"}', { p: "y" }, '{"p":"1","p":"y"}'],
    ["a key written with escapes", '{"\\u0070":"x"}', { p: "y" }, '{"\\u0070":"y"}'],
    ["a new key is appended", '{"a":1 }', { p: "y" }, '{"a":1,"p":"y" }'],
    ["a new key in an empty object", "{ }", { p: "y" }, '{"p":"y" }'],
    ["undefined leaves a key alone", '{"p":"x"}', { p: undefined, q: undefined }, '{"p":"x"}'],
    [
      "braces and quotes inside strings mean nothing",
      '{"a":"}\\"{,:","p":"x"}',
      { p: 'q"}' },
      '{"a":"}\\"{,:","p":"q\\"}"}',
    ],
  ];
  for (const [name, text, changes, expected] of rows) test(name, () => expect(editJson(text, changes)).toBe(expected));

  test("__proto__ is a key like any other", () => {
    expect(editJson('{"__proto__":{"p":1},"p":"x"}', { p: "y" })).toBe('{"__proto__":{"p":1},"p":"y"}');
  });

  for (const text of ["[]", "1", '"x"', "null", "{", "", '{"a":1} x']) {
    test(`${JSON.stringify(text)} is refused`, () => expect(() => editJson(text, { p: "y" })).toThrow(SyntaxError));
  }

  test("for any object, the result has the changes and nothing else differs", () => {
    const object = fc.dictionary(
      fc.string().filter((key) => key !== "__proto__"),
      fc.jsonValue(),
    );
    fc.assert(
      fc.property(
        object,
        fc.dictionary(fc.constantFrom("password", "username", "a", "1"), fc.string()),
        fc.constantFrom(undefined, 1, "\t"),
        (value, changes, space) => {
          const edited: unknown = JSON.parse(editJson(JSON.stringify(value, null, space), changes));
          expect(edited).toEqual(JSON.parse(JSON.stringify({ ...value, ...changes })));
        },
      ),
    );
  });

  test("the bytes before and after a replaced value stay the same", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), fc.string(), (before, after, password) => {
        const head = `{ "b" : ${JSON.stringify(before, null, 2)},\n"password":`;
        const tail = ` , "z": ${JSON.stringify(after)}\n}`;
        expect(editJson(`${head}"old"${tail}`, { password })).toBe(head + JSON.stringify(password) + tail);
      }),
    );
  });
});
