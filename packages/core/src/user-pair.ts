import { RotationError } from "./errors.ts";
import type { Manifest } from "./manifest.ts";

/** The two users of the multi-user strategy, and which of them is not AWSCURRENT's. */
export interface UserPair {
  readonly original: string;
  readonly twin: string;
  readonly pending: "original" | "twin";
}

/** What AWS's functions append; their twins are adopted. */
const suffix = "_clone";

/** The pair that a user belongs to, `pending` being the other one. */
export function pairOf(username: string): UserPair {
  return username.endsWith(suffix)
    ? { original: username.slice(0, -suffix.length), twin: username, pending: "original" }
    : { original: username, twin: username + suffix, pending: "twin" };
}

/**
 * The name of the other user of the pair.
 *
 * @param limits of the names, where the system has any
 * @throws RotationError `bad-secret` where there is no such name, or it is too long
 */
export function otherOfPair(username: string, limits?: Pick<Manifest, "title" | "usernameLimit">): string {
  const pair = pairOf(username);
  const other = pair[pair.pending];
  const limit = limits?.usernameLimit;
  if (other === "" || (limit !== undefined && Buffer.byteLength(other) > limit)) {
    throw new RotationError(
      "bad-secret",
      other === ""
        ? `The user "${username}" is nobody's twin: nothing stands before ${suffix}`
        : `The second user "${other}" would have a name of ${Buffer.byteLength(other)} bytes, and ${limits?.title} allows ${limit}`,
      "This try changed nothing. Use a user with a shorter name, or the single-user strategy.",
    );
  }
  return other;
}
