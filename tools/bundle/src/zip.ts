import { zipSync } from "fflate";

/** A zip archive whose bytes depend on its files alone: fixed times and order. Everybody may read the files, as Lambda requires. */
export function zip(files: ReadonlyMap<string, Uint8Array>): Uint8Array {
  // The format's own epoch, in local time, which is what the format holds.
  const mtime = new Date(1980, 0, 1);
  const entries = [...files].sort(([a], [b]) => (a < b ? -1 : 1));
  const unix = 3;
  return zipSync(
    Object.fromEntries(entries.map(([name, bytes]) => [name, [bytes, { mtime, os: unix, attrs: 0o100644 << 16 }]])),
    { level: 9 },
  );
}
