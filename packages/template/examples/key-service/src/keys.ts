import type { Environment, RotationContext } from "@quarterturn/core";
import { type HttpRequest, httpJson, type IssuedKey, type KeyService, type RotatedSecret } from "@quarterturn/template";
import { type Fields, fieldsOfKey } from "./secret.ts";

/** The service's keys. */
export function keys(env: Environment): KeyService<Fields> {
  return {
    fields: fieldsOfKey(env.KEY_SERVICE_URL),

    async issue(current, context) {
      const answer = await ask(current, "POST", "/keys", context, { json: { name: nameOf(context) } });
      return (answer as { key: string }).key;
    },

    async identify(secret, context) {
      const { username, keyId } = (await ask(secret, "GET", "/whoami", context)) as { username: string; keyId: string };
      return { account: username, keyId };
    },

    async list(current, context) {
      const path = `/keys?name=${encodeURIComponent(nameOf(context))}`;
      return (await ask(current, "GET", path, context)) as IssuedKey[];
    },

    async revoke(current, keyId, context) {
      await ask(current, "DELETE", `/keys/${encodeURIComponent(keyId)}`, context, { expected: [404] });
    },
  };
}

/** What the service shows beside the keys of this secret. */
const nameOf = ({ secretId }: RotationContext) => `rotated ${secretId}`;

function ask(
  { fields, value }: RotatedSecret<Fields>,
  method: HttpRequest["method"],
  path: string,
  context: RotationContext,
  more: Pick<HttpRequest, "json" | "expected"> = {},
): Promise<unknown> {
  const headers = { authorization: `Bearer ${value}` };
  return httpJson({ method, url: fields.url + path, headers, as: `the key of "${fields.username}"`, ...more }, context);
}
