import * as v from "valibot";
import { malformedInput, validationFailed } from "./service-error.ts";

/** Members whose values the service never repeats in an error. */
const SENSITIVE_MEMBERS = new Set(["SecretString", "SecretBinary", "RotationToken"]);

const ISSUES_SHOWN = 20;

/**
 * Reads an operation's input as the service does: a wrong type is a SerializationException, a value outside its
 * limits a ValidationException that lists them. Unknown members are ignored, null ones are absent.
 */
export function readInput<Schema extends v.GenericSchema>(schema: Schema, body: Uint8Array): v.InferOutput<Schema> {
  const json = parseJson(body);
  if (Array.isArray(json)) throw malformedInput("The request body is a list, and not an object.");
  const result = v.safeParse(schema, json);
  if (result.success) return result.output;
  const wrongType = result.issues.find((issue) => issue.kind === "schema" && issue.received !== "undefined");
  if (wrongType !== undefined) {
    throw malformedInput(`The member ${pathOf(wrongType) || "input"} does not have the type that the API gives it.`);
  }
  const count = result.issues.length;
  const details = result.issues.slice(0, ISSUES_SHOWN).map(describe).join("; ");
  throw validationFailed(`${count} validation error${count === 1 ? "" : "s"} detected: ${details}`);
}

function parseJson(body: Uint8Array): unknown {
  try {
    const json = new TextDecoder("utf-8", { fatal: true }).decode(body);
    return json === "" ? {} : JSON.parse(json, absentIfNull);
  } catch (error) {
    throw malformedInput(
      `The request body is not JSON in UTF-8 (${error instanceof Error ? error.name : "unreadable"}).`,
    );
  }
}

function absentIfNull(this: unknown, _key: string, value: unknown): unknown {
  return value === null && !Array.isArray(this) ? undefined : value;
}

function describe(issue: v.BaseIssue<unknown>): string {
  const path = pathOf(issue);
  if (issue.kind === "schema") {
    return `Value null at '${path}' failed to satisfy constraint: Member must not be null`;
  }
  const value = isSensitive(issue) ? "Value" : `Value '${String(issue.input)}'`;
  return `${value} at '${path}' failed to satisfy constraint: ${issue.message}`;
}

function isSensitive(issue: v.BaseIssue<unknown>): boolean {
  return issue.path?.some(({ key }) => SENSITIVE_MEMBERS.has(String(key))) ?? false;
}

/** The service's way to name a member: `tags.1.member.key`. */
function pathOf(issue: v.BaseIssue<unknown>): string {
  return (issue.path ?? [])
    .map(({ key }) => (typeof key === "number" ? `${key + 1}.member` : lowerFirst(String(key))))
    .join(".");
}

const lowerFirst = (name: string) => name.charAt(0).toLowerCase() + name.slice(1);
