import * as v from "valibot";

/*
 * The kinds of limits that API models have. An issue's message is the constraint's text in a ValidationException.
 */

export const text = (shortest: number, longest: number, pattern?: RegExp) =>
  v.pipe(
    v.string(),
    v.minLength(shortest, `Member must have length greater than or equal to ${shortest}`),
    v.maxLength(longest, `Member must have length less than or equal to ${longest}`),
    v.regex(pattern ?? /^/, `Member must satisfy regular expression pattern: ${pattern?.source ?? ""}`),
  );

export const wholeNumber = (least: number, most: number) =>
  v.pipe(
    v.custom<number>((value) => Number.isSafeInteger(value)),
    v.minValue(least, `Member must have value greater than or equal to ${least}`),
    v.maxValue(most, `Member must have value less than or equal to ${most}`),
  );

export const listOf = <Item extends v.GenericSchema>(item: Item, shortest: number, longest: number) =>
  v.pipe(
    v.array(item),
    v.minLength(shortest, `Member must have length greater than or equal to ${shortest}`),
    v.maxLength(longest, `Member must have length less than or equal to ${longest}`),
  );

export const oneOf = <const Values extends readonly string[]>(values: Values) =>
  v.pipe(
    v.string(),
    v.check((value) => values.includes(value), `Member must satisfy enum value set: [${values.join(", ")}]`),
    v.transform((value) => value as Values[number]),
  );
