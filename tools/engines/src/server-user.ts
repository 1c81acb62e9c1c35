const NOBODY = 65_534;

/**
 * Whom the servers run as. PostgreSQL refuses to run as root, so root's servers are nobody's: a user that exists
 * everywhere, which keeps this from changing the system.
 *
 * @throws Error on a platform without user ids
 */
export function serverUser(): { readonly uid: number; readonly gid: number } {
  const uid = process.getuid?.();
  const gid = process.getgid?.();
  if (uid === undefined || gid === undefined) {
    throw new Error(
      `Database servers cannot be started on ${process.platform}: use Linux or macOS, or a server's URL.`,
    );
  }
  return uid === 0 ? { uid: NOBODY, gid: NOBODY } : { uid, gid };
}
