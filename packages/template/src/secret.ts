import { editJson, type SecretFormat } from "@quarterturn/core";
import * as v from "valibot";

/** A secret of which one value is rotated. */
export interface RotatedSecret<Fields> {
  /** The named field of a JSON secret, or the whole of a plain-text one. */
  readonly value: string;
  /** What else the secret holds, as the service's schema gives it. Plain text holds nothing else: the schema was given `{}`. */
  readonly fields: Fields;
}

/** What a rotation writes: the next value and, of a JSON secret, other fields that change with it. */
export interface SecretChanges {
  readonly value: string;
  readonly fields?: Readonly<Record<string, unknown>>;
}

/**
 * A JSON secret stays JSON, in which one field changes; any other text is the value itself and stays plain text. What begins with a brace
 * is JSON, so that an object which somebody damaged is refused and not taken for a key.
 *
 * @param field the field's name
 */
export function secretFormat(field: string): SecretFormat<SecretChanges> {
  return {
    read(text) {
      if (!isJson(text)) return { value: text, fields: {} };
      const { [field]: value, ...fields } = JSON.parse(text) as Record<string, unknown>;
      return { value, fields };
    },
    write: (current, { value, fields }) => (isJson(current) ? editJson(current, { ...fields, [field]: value }) : value),
  };
}

const isJson = (text: string) => text.trimStart().startsWith("{");

/** @param fields validates what the secret holds besides the value; its messages must name keys and hold no value */
export function secretSchema<Fields>(
  field: string,
  fields: v.GenericSchema<unknown, Fields>,
): v.GenericSchema<unknown, RotatedSecret<Fields>> {
  return v.object({ value: v.pipe(v.string(`${field} must be text`), v.nonEmpty(`${field} is empty`)), fields });
}
