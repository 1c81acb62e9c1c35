import { expect, test } from "vitest";
import type { Row } from "./transport.ts";
import { unknownWord } from "./words.ts";

const defaultPrivilege: Row = {
  schema_name: null,
  object_type: "RELATION",
  owner_name: "app",
  privilege_type: "SELECT",
  grantee_name: "analysts",
  grantee_type: "group",
  admin_option: false,
};

test("what GRANT has a word for is known", () => {
  expect(unknownWord(defaultPrivilege)).toBeUndefined();
  expect(unknownWord({ ...defaultPrivilege, grantee_type: "public", grantee_name: "public" })).toBeUndefined();
  expect(
    unknownWord({ argument_types: 'integer, character varying, "char"', privilege_type: "EXECUTE" }),
  ).toBeUndefined();
  expect(unknownWord({ argument_types: "" })).toBeUndefined();
  expect(unknownWord({ privilege_scope: "TABLES" })).toBeUndefined();
});

test.for<[Row, string]>([
  [{ grantee_type: "Group" }, "grantee_type: Group"],
  [{ grantee_type: null }, "grantee_type: null"],
  [{ grantee_name: null }, "grantee_name: null"],
  [{ privilege_type: "ALL ON TABLES TO PUBLIC --" }, "privilege_type: ALL ON TABLES TO PUBLIC --"],
  [{ object_type: "SCHEMA" }, "object_type: SCHEMA"],
  [{ privilege_scope: "MODELS" }, "privilege_scope: MODELS"],
  [{ argument_types: '"a) TO PUBLIC"' }, 'argument_types: "a) TO PUBLIC"'],
])("anything else is not: %o", ([strange, word]) => {
  expect(unknownWord({ ...defaultPrivilege, ...strange })).toBe(word);
});
