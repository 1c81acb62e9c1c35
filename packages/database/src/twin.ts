import { type Manifest, RotationError } from "@quarterturn/core";
import type { PairNames } from "./engine.ts";

/** What AWS's functions append; their twins are adopted. */
const suffix = "_clone";

/** The pair that a user belongs to, `pending` being the other one. */
export function pairOf(username: string): PairNames {
  return username.endsWith(suffix)
    ? { original: username.slice(0, -suffix.length), twin: username, pending: "original" }
    : { original: username, twin: username + suffix, pending: "twin" };
}

/**
 * The name of the other user of the pair.
 *
 * @throws RotationError `bad-secret` where the engine does not allow so long a name
 */
export function otherOfPair(username: string, manifest: Manifest): string {
  const pair = pairOf(username);
  const other = pair[pair.pending];
  const limit = manifest.usernameLimit;
  if (other === "" || (limit !== undefined && Buffer.byteLength(other) > limit)) {
    throw new RotationError(
      "bad-secret",
      other === ""
        ? `The user "${username}" is nobody's twin: nothing stands before ${suffix}`
        : `The second user "${other}" would have a name of ${Buffer.byteLength(other)} bytes, and ${manifest.title} allows ${limit}`,
      "This try changed nothing. Use a user with a shorter name, or the single-user strategy.",
    );
  }
  return other;
}
