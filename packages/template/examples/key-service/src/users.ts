import type { RotationContext } from "@quarterturn/core";
import { type HttpRequest, httpJson, type RotatedSecret, type UserService } from "@quarterturn/template";
import { type Fields, fieldsOfSecret } from "./secret.ts";

/** The service's users. */
export const users: UserService<Fields> = {
  fields: fieldsOfSecret,
  where: ({ url }) => url,

  async login(secret, context) {
    await ask(secret, "GET", "/session", context);
  },

  async createTwin(admin, { original, twin }, context) {
    const json = { username: twin, twinOf: original };
    await ask(admin, "POST", "/users", context, { json, expected: [409] });
  },

  async twinOf(admin, username, context) {
    return ((await ask(admin, "GET", pathOf(username), context)) as { twinOf?: string }).twinOf;
  },

  async prepare(admin, { username, password, original }, context) {
    const path = pathOf(username);
    if (username !== original) await ask(admin, "PUT", `${path}/rights`, context, { json: { from: original } });
    await ask(admin, "PUT", `${path}/password`, context, { json: { password } });
  },
};

const pathOf = (username: string) => `/users/${encodeURIComponent(username)}`;

function ask(
  { fields: { url, username }, value }: RotatedSecret<Fields>,
  method: HttpRequest["method"],
  path: string,
  context: RotationContext,
  more: Pick<HttpRequest, "json" | "expected"> = {},
): Promise<unknown> {
  const headers = { authorization: `Basic ${Buffer.from(`${username}:${value}`).toString("base64")}` };
  return httpJson({ method, url: url + path, headers, as: `the password of "${username}"`, ...more }, context);
}
