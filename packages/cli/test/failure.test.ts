import { expect, test } from "vitest";
import { statementError as ofDocumentDb } from "../../documentdb/src/errors.ts";
import { statementError as ofPostgres } from "../../pg-wire/src/connection.ts";
import { statementError as ofMysql } from "../../rds-mysql/src/errors.ts";
import { apiError } from "../../redshift/src/data-api-error.ts";
import { adviceOn } from "../src/failure.ts";

const lost = new Error("the connection was lost");
const aborted = Object.assign(new Error("aborted"), { name: "AbortError" });

test.each([
  ["PostgreSQL", ofPostgres(lost, "here", "setting the password", undefined)],
  ["MySQL", ofMysql(lost, "here", "setting the password", undefined)],
  ["DocumentDB", ofDocumentDb(lost, "here", "setting the password", undefined)],
  ["Redshift's Data API", apiError(aborted, "redshift-data:DescribeStatement", "here")],
])("a statement of %s without an answer is no matter of where this runs", (_, error) => {
  expect(["timeout", "unreachable"]).toContain(error.code);
  expect(adviceOn(error)).toMatch(/^The server was reached: .* then run the same command again\.$/);
});
