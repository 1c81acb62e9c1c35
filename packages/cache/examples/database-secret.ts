import * as v from "valibot";

/** What a rotated database secret holds that an application needs. */
export const databaseSecret = v.object({
  host: v.string(),
  port: v.number(),
  username: v.string(),
  password: v.string(),
});

export type DatabaseSecret = v.InferOutput<typeof databaseSecret>;
