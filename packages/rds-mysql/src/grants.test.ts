import { describe, expect, test } from "vitest";
import { type Right, reconcile, rightsOf } from "./grants.ts";

const app = { user: "app", host: "%" };
const twin = { user: "app_clone", host: "%" };
const read = (...lines: string[]) =>
  rightsOf(
    lines.map((line) => line.replaceAll("APP", "`app`@`%`")),
    app,
  );
const privilege = (name: string, object: string, withOption = false): Right => ({
  is: "privilege",
  name,
  object,
  withOption,
});

describe("the lines of SHOW GRANTS as single rights", () => {
  test.each<[string, Right[]]>([
    ["GRANT USAGE ON *.* TO APP", []],
    ["GRANT SELECT, SHOW VIEW ON `a`.* TO APP", [privilege("SELECT", "`a`.*"), privilege("SHOW VIEW", "`a`.*")]],
    [
      "GRANT DELETE ON `a`.* TO APP WITH GRANT OPTION",
      [privilege("DELETE", "`a`.*"), privilege("GRANT OPTION", "`a`.*")],
    ],
    ["GRANT USAGE ON `a`.* TO APP WITH GRANT OPTION", [privilege("GRANT OPTION", "`a`.*")]],
    [
      "GRANT SELECT (`user_id`) ON `a`.`b` TO APP WITH GRANT OPTION",
      [privilege("SELECT (`user_id`)", "`a`.`b`"), privilege("GRANT OPTION", "`a`.`b`")],
    ],
    [
      "GRANT SELECT (`x`, `y, z`), INSERT ON `a`.`b` TO APP",
      [privilege("SELECT (`x`)", "`a`.`b`"), privilege("SELECT (`y, z`)", "`a`.`b`"), privilege("INSERT", "`a`.`b`")],
    ],
    [
      "GRANT A_ADMIN,B_ADMIN ON *.* TO APP WITH GRANT OPTION",
      [privilege("A_ADMIN", "*.*", true), privilege("B_ADMIN", "*.*", true)],
    ],
    ["GRANT EXECUTE ON PROCEDURE `a`.`p` TO APP", [privilege("EXECUTE", "PROCEDURE `a`.`p`")]],
    ["GRANT PROXY ON `x`@`%` TO APP", [privilege("PROXY", "`x`@`%`")]],
    ["REVOKE SELECT ON `a`.* FROM APP", [{ is: "exception", name: "SELECT", object: "`a`.*", withOption: false }]],
    [
      "GRANT `r, s`@`%`,`t`@`%` TO APP WITH ADMIN OPTION",
      [
        { is: "role", name: "`r, s`@`%`", object: "", withOption: true },
        { is: "role", name: "`t`@`%`", object: "", withOption: true },
      ],
    ],
    ["GRANT SELECT ON `a ON b``c TO ``app``@``%```.* TO APP", [privilege("SELECT", "`a ON b``c TO ``app``@``%```.*")]],
  ])("%s", (line, rights) => {
    expect(read(line)).toEqual(rights);
  });

  test("a line of another form is an error: rights are not copied by halves", () => {
    expect(() => read("GRANT SELECT ON `a`.* TO `other`@`%`")).toThrow("a form that is not known");
    expect(() => read("DENY SELECT ON `a`.* TO APP")).toThrow("a form that is not known");
  });
});

describe("the statements that reconcile", () => {
  const statements = (wanted: readonly Right[], existing: readonly Right[], gets = true) =>
    reconcile(wanted, existing, twin, gets).map((statement) => statement.replaceAll("`app_clone`@`%`", "TWIN"));

  test("what both have is not touched", () => {
    const rights = read("GRANT SELECT, INSERT (`x`) ON `a`.`b` TO APP WITH GRANT OPTION");
    expect(statements(rights, rights)).toEqual([]);
  });

  test("what is too much is revoked first, then what is missing is granted, then exceptions; roles go last", () => {
    const wanted = read("GRANT SELECT ON *.* TO APP", "REVOKE SELECT ON `m`.* FROM APP", "GRANT `r`@`%` TO APP");
    const existing = read("GRANT DELETE ON `a`.* TO APP WITH GRANT OPTION", "GRANT `s`@`%` TO APP");
    expect(statements(wanted, existing)).toEqual([
      "REVOKE DELETE ON `a`.* FROM TWIN",
      "REVOKE GRANT OPTION ON `a`.* FROM TWIN",
      "GRANT SELECT ON *.* TO TWIN",
      "GRANT `r`@`%` TO TWIN",
      "REVOKE SELECT ON `m`.* FROM TWIN",
      "REVOKE `s`@`%` FROM TWIN",
    ]);
  });

  test("of ALL PRIVILEGES a part is not revoked, and the whole gives way to a part", () => {
    const [whole, part] = [read("GRANT ALL PRIVILEGES ON `a`.* TO APP"), read("GRANT SELECT ON `a`.* TO APP")];
    expect(statements(whole, part)).toEqual(["GRANT ALL PRIVILEGES ON `a`.* TO TWIN"]);
    expect(statements(part, whole)).toEqual([
      "REVOKE ALL PRIVILEGES ON `a`.* FROM TWIN",
      "GRANT SELECT ON `a`.* TO TWIN",
    ]);
  });

  test("a role that stays, but not WITH ADMIN OPTION, is revoked before it is granted", () => {
    const [plain, grantable] = [read("GRANT `r`@`%` TO APP"), read("GRANT `r`@`%` TO APP WITH ADMIN OPTION")];
    expect(statements(plain, grantable)).toEqual(["REVOKE `r`@`%` FROM TWIN", "GRANT `r`@`%` TO TWIN"]);
    expect(statements(plain, grantable, false)).toEqual(["REVOKE `r`@`%` FROM TWIN"]);
  });

  test("there is a statement for an object, and not for a privilege", () => {
    const [some, none] = [
      read("GRANT SELECT, INSERT (`x`, `y`) ON `a`.`b` TO APP", "GRANT `r`@`%`,`s`@`%` TO APP"),
      read(),
    ];
    expect(statements(some, none)).toEqual([
      "GRANT SELECT, INSERT (`x`), INSERT (`y`) ON `a`.`b` TO TWIN",
      "GRANT `r`@`%`, `s`@`%` TO TWIN",
    ]);
    expect(statements(none, some)).toEqual([
      "REVOKE SELECT, INSERT (`x`), INSERT (`y`) ON `a`.`b` FROM TWIN",
      "REVOKE `r`@`%`, `s`@`%` FROM TWIN",
    ]);
  });

  test("of a dynamic privilege the grant option is a part", () => {
    const [plain, grantable] = [read("GRANT A_B ON *.* TO APP"), read("GRANT A_B ON *.* TO APP WITH GRANT OPTION")];
    expect(statements(plain, grantable)).toEqual(["REVOKE A_B ON *.* FROM TWIN", "GRANT A_B ON *.* TO TWIN"]);
  });

  test("a twin that has its rights by a role only loses what it has beside them, global ones too where the original has exceptions", () => {
    const wanted = read(
      "GRANT SELECT ON *.* TO APP",
      "REVOKE SELECT ON `m`.* FROM APP",
      "GRANT INSERT ON `a`.* TO APP",
    );
    const existing = read("GRANT SELECT ON *.* TO APP", "GRANT INSERT, DELETE ON `a`.* TO APP");
    expect(statements(wanted, existing, false)).toEqual([
      "REVOKE SELECT ON *.* FROM TWIN",
      "REVOKE DELETE ON `a`.* FROM TWIN",
    ]);
  });
});
