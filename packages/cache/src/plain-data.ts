import { isDeepStrictEqual } from "node:util";

/** Freezes objects and arrays, whatever depth they are at. What a schema makes besides (dates, keys, bytes) cannot be frozen. */
export function frozen<Value>(value: Value, seen = new Set<unknown>()): Value {
  if (!isPlain(value) || seen.has(value)) return value;
  seen.add(value);
  Object.freeze(value);
  for (const each of Object.values(value)) frozen(each, seen);
  return value;
}

/** Whether two values hold the same. Objects that may hide what they hold, such as a class for passwords, are the same only as the same value. */
export function isSameValue(a: unknown, b: unknown): boolean {
  return a === b || (isDeepStrictEqual(a, b) && showsAll(a));
}

function showsAll(value: unknown, seen = new Set<unknown>()): boolean {
  if (!isPlain(value)) return typeof value !== "object" || value === null || value instanceof Uint8Array;
  if (seen.has(value)) return true;
  seen.add(value);
  return Object.values(value).every((each) => showsAll(each, seen));
}

function isPlain(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return Array.isArray(value) || prototype === Object.prototype || prototype === null;
}
