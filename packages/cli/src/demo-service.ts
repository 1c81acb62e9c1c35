import { randomBytes } from "node:crypto";
import { RotationError } from "@quarterturn/core";
import type { KeyService } from "@quarterturn/template";
import * as v from "valibot";

/** A service of one account, whose API keys are numbered and live in memory. */
export interface DemoService extends KeyService<object> {
  /** A key that no rotation has issued. */
  issueFirst(): string;
  /** Whether a request with this key is answered. */
  accepts(key: string): boolean;
  /** The numbers of the valid keys. */
  validKeys(): readonly number[];
}

export function demoService(): DemoService {
  const keys = new Map<string, number>();
  let issued = 0;
  const issue = () => {
    const key = randomBytes(24).toString("base64url");
    keys.set(key, ++issued);
    return key;
  };
  return {
    fields: v.object({}),
    issue: async () => issue(),
    async identify({ value }) {
      const number = keys.get(value);
      if (number !== undefined) return { account: "shop", keyId: String(number) };
      throw new RotationError("credentials-rejected", "The service refuses the key", "Store one that it knows.");
    },
    list: async () => [...keys.values()].map((number) => ({ id: String(number), issuedAt: number })),
    async revoke(_, keyId) {
      for (const [key, number] of keys) if (String(number) === keyId) keys.delete(key);
    },
    issueFirst: issue,
    accepts: (key) => keys.has(key),
    validKeys: () => [...keys.values()],
  };
}
