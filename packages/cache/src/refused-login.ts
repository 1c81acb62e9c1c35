/**
 * Whether an error of a driver means that the server refused user name or password, and so that the secret may have changed.
 *
 * - pg: SQLSTATE 28P01 (invalid_password) and 28000 (invalid_authorization_specification: no such role, or one that may not log in)
 * - mysql2: 1045 (ER_ACCESS_DENIED_ERROR)
 * - mongodb: 18 (AuthenticationFailed)
 *
 * Nothing else is a refused login: no answer, a bad certificate or too many connections do not become better by another password.
 */
export function isRefusedLogin(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { name, code, errno } = error as Error & { readonly code?: unknown; readonly errno?: unknown };
  return code === "28P01" || code === "28000" || errno === 1045 || (name === "MongoServerError" && code === 18);
}
