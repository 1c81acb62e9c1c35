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

  async prepare(admin, { username, password, original }, context) {
    const path = `/users/${encodeURIComponent(username)}`;
    if (username !== original) await ask(admin, "PUT", `${path}/rights`, context, { from: original });
    await ask(admin, "PUT", `${path}/password`, context, { password });
  },
};

function ask(
  { fields: { url, username }, value }: RotatedSecret<Fields>,
  method: HttpRequest["method"],
  path: string,
  context: RotationContext,
  json?: unknown,
): Promise<unknown> {
  const headers = { authorization: `Basic ${Buffer.from(`${username}:${value}`).toString("base64")}` };
  return httpJson({ method, url: url + path, headers, as: `the password of "${username}"`, json }, context);
}
