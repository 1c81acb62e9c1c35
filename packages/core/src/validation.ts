import type { StandardSchemaV1 } from "@standard-schema/spec";

/**
 * The schema's output for an input, or what `refuse` throws with the issues in words (`key: message; key: message`).
 * Issues hold no received value as long as the schema's own messages do not.
 */
export async function validate<S extends StandardSchemaV1>(
  schema: S,
  input: unknown,
  refuse: (issues: string) => never,
): Promise<StandardSchemaV1.InferOutput<S>> {
  const result = await schema["~standard"].validate(input);
  if (!result.issues) return result.value;
  return refuse(result.issues.map((issue) => issue.message).join("; "));
}
