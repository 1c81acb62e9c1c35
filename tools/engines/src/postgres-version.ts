/** The versions that can be asked for: the newest minor release of a major one, or a certain one that behaves otherwise. */
export const POSTGRES_VERSIONS = ["14", "15", "16", "17", "17.0", "17.1", "18"] as const;
export type PostgresVersion = (typeof POSTGRES_VERSIONS)[number];

/** The environment variable that names a running server of this version, for example POSTGRES_17_1_URL. */
export function urlVariable(version: PostgresVersion): string {
  return `POSTGRES_${version.replace(".", "_")}_URL`;
}
