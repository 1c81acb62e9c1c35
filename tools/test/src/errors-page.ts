import { type ErrorCode, RotationError } from "@quarterturn/core";
import { afterAll, beforeAll, describe, expect, type MockInstance, test, vi } from "vitest";

/** Registers one thing that is given wrongly: how it is called, the code of its error, and what provokes that. */
export type Refused = (situation: string, code: ErrorCode, work: () => Promise<unknown>) => void;

/** A page of docs/errors: what the functions of a package say to what is given to them wrongly. */
export interface ErrorsPage {
  /**
   * A group of tests, each of which is a row: the error is a RotationError in one line, logged as the last record, within four seconds, of
   * which the function has three, and holds nothing that contains "never-in-a-log".
   */
  section(group: string, register: (refused: Refused) => void): void;
  /** Registers the test, after all sections, that docs/errors/NAME.md shows these rows. */
  finish(): void;
}

/** @param name the package's name without its scope, whose folder is that of the tests */
export function errorsPage(name: string, title: string): ErrorsPage {
  const rows: ErrorRow[] = [];
  let logged = "";
  let spy: MockInstance | undefined;
  beforeAll(() => {
    spy = vi.spyOn(process.stdout, "write").mockImplementation((chunk) => {
      logged += chunk;
      return true;
    });
  });
  afterAll(() => spy?.mockRestore());

  const refusedIn =
    (group: string): Refused =>
    (situation, code, work) => {
      test(`${situation}: ${code}`, async () => {
        logged = "";
        const started = Date.now();
        const error = await work().then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
        expect(error).toBeInstanceOf(RotationError);
        const { message, code: actual } = error as RotationError;
        expect(actual, message).toBe(code);
        expect(message).not.toMatch(/[\r\n]/);
        expect(Date.now() - started).toBeLessThan(4_000);
        const records = logged
          .trim()
          .split("\n")
          .map((line) => JSON.parse(line) as Record<string, unknown>);
        expect(records.at(-1)).toMatchObject({ level: "ERROR", message: "Step failed", code, reason: message });
        expect(logged + message).not.toMatch(/never-in-a-log/);
        rows.push({ group, situation, code, message });
      });
    };

  return {
    section(group, register) {
      describe(group, () => register(refusedIn(group)));
    },
    finish() {
      test(`docs/errors/${name}.md shows these messages`, async () => {
        await expect(`# Errors: ${title}

<!-- Written by packages/${name}/test/bad-input.test.ts: \`npx vitest run packages/${name}/test/bad-input.test.ts -u\` renews it. -->

Every row was provoked by a test, see [errors](../errors.md). Names in capitals stand for what differs from case to case.

${errorTables(rows)}`).toMatchFileSnapshot(new URL(`../../../docs/errors/${name}.md`, import.meta.url).pathname);
      });
    },
  };
}

/** What was given wrongly, and the error that it was answered with. */
export interface ErrorRow {
  readonly group: string;
  readonly situation: string;
  readonly code: ErrorCode;
  readonly message: string;
}

/** A section with a table for each group. */
export function errorTables(rows: readonly ErrorRow[]): string {
  const cell = (text: string) => text.replaceAll("|", "\\|").replaceAll("<", "&lt;");
  return [...Map.groupBy(rows, ({ group }) => group)]
    .map(([group, ofGroup]) => {
      const lines = ofGroup.map(
        ({ situation, code, message }) => `| ${cell(situation)} | \`${code}\` | ${cell(withoutVariables(message))} |`,
      );
      return [`## ${group}`, "", "| what was wrong | code | message |", "| --- | --- | --- |", ...lines, ""].join("\n");
    })
    .join("\n");
}

/** With what differs from run to run replaced by names. */
const withoutVariables = (message: string) =>
  message
    .replaceAll(/arn:aws:secretsmanager:\S+?:secret:[\w-]+/g, "SECRET-ARN")
    .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, "VERSION-ID")
    .replaceAll(/\b(localhost|127\.0\.0\.1|::1):\d+/g, "HOST:PORT")
    .replaceAll(/\.example:\d+/g, ".example:PORT")
    .replaceAll(/\b\d+ ms\b/g, "N ms")
    .replaceAll(/(["`'])(app|weak)\d+/g, "$1$2")
    .replaceAll(/Quarterturn test CA \w+/g, "NAME OF THE AUTHORITY");
