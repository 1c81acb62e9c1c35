import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  AWSCURRENT,
  AWSPENDING,
  AWSPREVIOUS,
  changesTo,
  type Decision,
  decide,
  finishMove,
  rotationState,
  unfinishedVersion,
  type VersionLabels,
  versionWith,
} from "./labels.ts";

/**
 * Every situation that a token's version can be in, and what is decided: the columns are RotationEnabled as DescribeSecret says it (or
 * does not), `set` and `test` the steps that do not ask for it. docs/labels.md is written from this table.
 */
const table: readonly { labels: readonly string[] | undefined; meaning: string; enabled: string; cancelled: string }[] =
  [
    {
      labels: undefined,
      meaning: "no such version, or it has no labels",
      enabled: "not-staged",
      cancelled: "not-enabled",
    },
    { labels: [], meaning: "abandoned", enabled: "not-staged", cancelled: "not-enabled" },
    { labels: [AWSPENDING], meaning: "waits to be rotated in", enabled: "run", cancelled: "not-enabled" },
    { labels: [AWSCURRENT], meaning: "an earlier try finished", enabled: "done", cancelled: "done" },
    {
      labels: [AWSCURRENT, AWSPENDING],
      meaning: "an earlier try finished; the service takes AWSPENDING off later",
      enabled: "done",
      cancelled: "done",
    },
    {
      labels: [AWSPREVIOUS],
      meaning: "was current, and a newer version took its place",
      enabled: "superseded",
      cancelled: "not-enabled",
    },
    {
      labels: [AWSPENDING, AWSPREVIOUS],
      meaning: "was current, and is rotated in again",
      enabled: "run",
      cancelled: "not-enabled",
    },
    {
      labels: [AWSCURRENT, AWSPREVIOUS],
      meaning: "cannot be: the service never puts both on one version",
      enabled: "done",
      cancelled: "done",
    },
    {
      labels: [AWSCURRENT, AWSPENDING, AWSPREVIOUS],
      meaning: "cannot be: likewise",
      enabled: "done",
      cancelled: "done",
    },
  ];

const shown = (decision: Decision) => (decision.is === "refused" ? decision.why : decision.is);

describe("the decision about a step", () => {
  test("the table has every combination of the three labels once", () => {
    const combinations = Array.from({ length: 8 }, (_, bits) =>
      [AWSCURRENT, AWSPENDING, AWSPREVIOUS].filter((_label, bit) => bits & (1 << bit)),
    );
    const rows = table.flatMap(({ labels }) => (labels ? [[...labels].sort().join()] : []));
    expect(rows.sort()).toEqual(combinations.map((set) => set.sort().join()).sort());
  });

  for (const row of table) {
    test(`${row.labels?.join(" + ") || (row.labels ? "no label" : "no version")}: ${row.enabled}, cancelled: ${row.cancelled}`, () => {
      expect(shown(decide(row.labels))).toBe(row.enabled);
      expect(shown(decide(row.labels, true))).toBe(row.enabled);
      expect(shown(decide(row.labels, false))).toBe(row.cancelled);
    });
  }

  test("custom labels and the order of labels have no influence", () => {
    const label = fc.constantFrom(AWSCURRENT, AWSPENDING, AWSPREVIOUS);
    fc.assert(
      fc.property(
        fc.uniqueArray(label),
        fc.array(fc.string().filter((text) => !text.startsWith("AWS"))),
        fc.boolean(),
        (labels, custom, enabled) => {
          expect(decide([...custom, ...labels.toReversed()], enabled)).toEqual(decide(labels, enabled));
        },
      ),
    );
  });

  test("docs/labels.md shows this table and its diagram", async () => {
    await expect(labelsPage()).toMatchFileSnapshot("../../../docs/labels.md");
  });
});

describe("the move of finishSecret", () => {
  const histories: readonly [string, VersionLabels, ReturnType<typeof finishMove>][] = [
    [
      "the usual rotation",
      { old: [AWSCURRENT], new: [AWSPENDING] },
      { is: "move", move: { label: AWSCURRENT, to: "new", from: "old" } },
    ],
    ["an earlier try moved it", { old: [AWSPREVIOUS], new: [AWSCURRENT, AWSPENDING] }, { is: "done" }],
    ["AWSPENDING was taken off", { old: [AWSCURRENT], new: [] }, { is: "refused", why: "not-staged" }],
    ["somebody moved AWSCURRENT on", { other: [AWSCURRENT], new: [AWSPREVIOUS] }, { is: "refused", why: "superseded" }],
    ["no version is current", { new: [AWSPENDING] }, { is: "refused", why: "superseded" }],
  ];
  for (const [name, versions, expected] of histories) {
    test(name, () => expect(finishMove(versions, "new")).toEqual(expected));
  }

  test("it never takes AWSCURRENT from a version that does not have it, and never gives it to one that is not pending", () => {
    const label = fc.constantFrom(AWSCURRENT, AWSPENDING, AWSPREVIOUS, "custom");
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom("a", "b", "c"), fc.uniqueArray(label)),
        fc.constantFrom("a", "b", "c", "d"),
        (versions, token) => {
          const next = finishMove(versions, token);
          if (next.is !== "move") return;
          expect(versions[next.move.from]).toContain(AWSCURRENT);
          expect(versions[next.move.to]).toContain(AWSPENDING);
          expect(versions[next.move.to]).not.toContain(AWSCURRENT);
        },
      ),
    );
  });
});

describe("the state that an operator reads", () => {
  const now = new Date("2030-01-01T12:00:00Z");
  const recently = new Date("2030-01-01T11:59:00Z");
  const longAgo = new Date("2030-01-01T10:00:00Z");
  const pending = { a: [AWSCURRENT], b: [AWSPENDING] };
  const rows: readonly [string, Parameters<typeof rotationState>[0], ReturnType<typeof rotationState>][] = [
    ["never configured", { versions: { a: [AWSCURRENT] } }, "NOT_CONFIGURED"],
    ["cancelled", { rotationEnabled: false, versions: { a: [AWSCURRENT] } }, "NOT_CONFIGURED"],
    ["idle", { rotationEnabled: true, versions: { a: [AWSCURRENT] } }, "CONFIGURED_NOT_ROTATING"],
    [
      "idle, AWSPENDING left on the current version",
      { rotationEnabled: true, versions: { a: [AWSCURRENT, AWSPENDING] } },
      "CONFIGURED_NOT_ROTATING",
    ],
    [
      "started a minute ago",
      { rotationEnabled: true, versions: pending, lastChanged: recently },
      "ROTATION_IN_PROGRESS",
    ],
    ["started two hours ago", { rotationEnabled: true, versions: pending, lastChanged: longAgo }, "ROTATION_FAILED"],
    ["cancelled half way", { rotationEnabled: false, versions: pending, lastChanged: recently }, "ROTATION_FAILED"],
  ];
  for (const [name, described, state] of rows) {
    test(`${name}: ${state}`, () => expect(rotationState(described, now, 3_600_000)).toBe(state));
  }
});

describe("what an operator's tool asks", () => {
  const unfinished: readonly [string, VersionLabels, string | undefined][] = [
    ["nothing pending", { a: [AWSCURRENT] }, undefined],
    ["a rotation that has not finished", { a: [AWSCURRENT], b: [AWSPENDING] }, "b"],
    ["one that has", { a: [AWSPREVIOUS], b: [AWSCURRENT, AWSPENDING] }, undefined],
    ["AWSCURRENT was moved back to the version before", { a: [AWSCURRENT], b: [AWSPREVIOUS, AWSPENDING] }, "b"],
    ["no version is current", { b: [AWSPENDING] }, "b"],
  ];
  for (const [name, versions, expected] of unfinished) {
    test(`the unfinished version, ${name}: ${expected ?? "none"}`, () =>
      expect(unfinishedVersion(versions)).toBe(expected));
  }

  const changes: readonly [string, VersionLabels, string, ReturnType<typeof changesTo>][] = [
    ["it is there", { a: [AWSCURRENT], b: [] }, AWSCURRENT, []],
    ["AWSCURRENT", { a: [], b: [AWSCURRENT] }, AWSCURRENT, [{ label: AWSCURRENT, to: "a", from: "b" }]],
    [
      "AWSCURRENT leaves a version with AWSPENDING",
      { a: [AWSPREVIOUS], b: [AWSCURRENT, AWSPENDING] },
      AWSCURRENT,
      [
        { label: AWSPENDING, from: "b" },
        { label: AWSCURRENT, to: "a", from: "b" },
      ],
    ],
    [
      "AWSCURRENT, while another version is being rotated in",
      { a: [AWSPREVIOUS], b: [AWSCURRENT], c: [AWSPENDING] },
      AWSCURRENT,
      [{ label: AWSCURRENT, to: "a", from: "b" }],
    ],
    ["no version has it", { a: [AWSCURRENT] }, "blue", [{ label: "blue", to: "a" }]],
    ["AWSPENDING itself", { a: [], b: [AWSPENDING] }, AWSPENDING, [{ label: AWSPENDING, to: "a", from: "b" }]],
  ];
  for (const [name, versions, label, expected] of changes) {
    test(`a label's way to a version, ${name}`, () => expect(changesTo(versions, label, "a")).toEqual(expected));
  }
});

test("versionWith finds the version of a label", () => {
  expect(versionWith({ a: [AWSPREVIOUS], b: ["x", AWSCURRENT] }, AWSCURRENT)).toBe("b");
  expect(versionWith({ a: [AWSPREVIOUS] }, AWSCURRENT)).toBeUndefined();
});

function labelsPage(): string {
  const name = (labels: readonly string[] | undefined) => labels?.join(" + ") || (labels ? "no label" : "none");
  const possible = table.filter(({ meaning }) => !meaning.startsWith("cannot"));
  const id = (row: (typeof table)[number]) => `v${table.indexOf(row)}`;
  return `# The label state machine

<!-- Written from the table in packages/core/src/labels.test.ts: \`npx vitest run packages/core -u\` renews it. -->

Every step asks one question: which labels does the version have that the event's ClientRequestToken names? \`decide\` in
packages/core/src/labels.ts answers it, and this table is its test.

| labels of the token's version | what it means | decision | rotation cancelled (asked by createSecret only) |
| --- | --- | --- | --- |
${table.map((row) => `| ${name(row.labels)} | ${row.meaning} | ${row.enabled} | ${row.cancelled} |`).join("\n")}

\`run\`: the step is run. \`done\`: nothing is left to do, and the step succeeds. Everything else is an error with that code (see
[errors.md](errors.md)) and touches nothing.

\`\`\`mermaid
flowchart LR
${possible.map((row) => `  ${id(row)}["${name(row.labels)}"] --> ${row.enabled.replace("-", "_")}(["${row.enabled}"])`).join("\n")}
\`\`\`

finishSecret then moves AWSCURRENT to the token's version from the version that has it, as one compare-and-swap; Secrets Manager moves
AWSPREVIOUS by itself.
`;
}
