import { expect, test } from "vitest";
import { selectedEngines, testsLeftOut } from "./selected-engines.ts";

test("without ENGINES all engines are started and no test is left out", () => {
  expect(selectedEngines({})).toEqual(["postgres", "mysql", "mariadb", "mongo"]);
  expect(testsLeftOut({})).toEqual([]);
});

test("ENGINES names those that are started; what needs another is left out", () => {
  expect(selectedEngines({ ENGINES: "mariadb, postgres" })).toEqual(["postgres", "mariadb"]);
  expect(testsLeftOut({ ENGINES: "postgres" })).toContain("packages/rds-mysql/test/**");
  expect(testsLeftOut({ ENGINES: "postgres" }).join()).not.toContain("postgres");
  expect(testsLeftOut({ ENGINES: "mysql,mariadb" })).toContain("packages/rds-postgres/**");
});

test.each(["mysqll", "", "postgres,,mysql"])("ENGINES=%s is an error that names the engines", (ENGINES) => {
  expect(() => selectedEngines({ ENGINES })).toThrow(/There are: postgres, mysql, mariadb, mongo\./);
});

test("a name that people know says which engine has its tests", () => {
  expect(() => selectedEngines({ ENGINES: "redshift,documentdb" })).toThrow(
    "The tests of redshift are run with postgres. The tests of documentdb are run with mongo.",
  );
});
