import { expect, test } from "vitest";
import { closingCount } from "./reporter.ts";

const rows: readonly [string, Parameters<typeof closingCount>, ReturnType<typeof closingCount>][] = [
  ["passed tests", [[{ tests: ["passed", "passed"], errors: 0 }], 0], { passed: 2, failed: 0 }],
  ["a failed one", [[{ tests: ["passed", "failed"], errors: 0 }], 0], { passed: 1, failed: 1 }],
  ["a skipped one has failed", [[{ tests: ["passed", "skipped"], errors: 0 }], 0], { passed: 1, failed: 1 }],
  [
    "tests that a failed hook kept from running have failed, and so has the file",
    [[{ tests: ["pending", "pending"], errors: 1 }], 0],
    { passed: 0, failed: 3 },
  ],
  [
    "a file without tests has failed",
    [
      [
        { tests: ["passed"], errors: 0 },
        { tests: [], errors: 0 },
      ],
      0,
    ],
    { passed: 1, failed: 1 },
  ],
  ["an error that nobody caught", [[{ tests: ["passed"], errors: 0 }], 1], { passed: 1, failed: 1 }],
  ["a run in which nothing ran has failed", [[], 0], { passed: 0, failed: 1 }],
];
for (const [name, input, expected] of rows) test(name, () => expect(closingCount(...input)).toEqual(expected));
