import {
  type Environment,
  listSetting,
  type Manifest,
  type PasswordSettings,
  passwordSettings,
  type Setting,
} from "@quarterturn/core";

/** What the strategies read from the environment. */
export interface DatabaseSettings {
  readonly password: PasswordSettings;
  /** SUPERUSER_SECRET_ARN: the admin secret where the rotated secret has no masterarn. */
  readonly superuserSecretArn: string | undefined;
  /** ALLOWED_HOSTS: hosts that belong to the admin's database although their names differ, e.g. a CNAME or a proxy. */
  readonly allowedHosts: readonly string[];
}

/** What this package's strategies read, beside core's settings. */
export const databaseSettingList: readonly Setting[] = [
  {
    name: "SUPERUSER_SECRET_ARN",
    absent: "none",
    meaning: "Multi-user: the admin secret of secrets that have no `masterarn`.",
    strategy: "multi-user",
  },
  {
    name: "ALLOWED_HOSTS",
    absent: "none",
    meaning:
      "Multi-user: hosts that belong to the admin's database although their names differ (a CNAME, a proxy), separated by commas. Replicas and endpoints that the RDS API knows need no entry.",
    strategy: "multi-user",
  },
];

/** @throws RotationError `bad-setting` */
export function databaseSettings(env: Environment, manifest: Manifest): DatabaseSettings {
  return {
    password: passwordSettings(env, manifest.excludeCharacters),
    superuserSecretArn: env.SUPERUSER_SECRET_ARN || undefined,
    allowedHosts: listSetting(env, "ALLOWED_HOSTS").map((host) => host.toLowerCase()),
  };
}
