import { permissionsOf } from "@quarterturn/core";
import { applications } from "@quarterturn-tools/sam";
import { expect, test } from "vitest";
import { engineRows } from "./policies.ts";

test("what an engine's functions may do besides is shown with its condition, for every engine that has it", async () => {
  const rows = (await engineRows()).map((cells) => cells.join(" "));
  let conditions = 0;
  for (const application of await applications()) {
    for (const { service, operations, condition = {} } of permissionsOf(application)) {
      const keys = Object.values(condition).flatMap((each) => Object.keys(each));
      conditions += keys.length;
      const words = [application.manifest.title, ...operations.map((each) => `${service}:${each}`), ...keys];
      expect(
        rows.filter((row) => words.every((word) => row.includes(word))),
        words.join(" "),
      ).toHaveLength(1);
    }
  }
  expect(conditions).toBeGreaterThan(0);
});
