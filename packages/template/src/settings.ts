import type { Setting } from "@quarterturn/core";

const oldKey: Setting = {
  name: "OLD_KEY",
  absent: "keep",
  values: ["keep", "revoke"],
  meaning:
    "keep leaves AWSPREVIOUS's key valid until the next rotation has finished, for applications that hold it in memory; revoke ends it as soon as AWSCURRENT has moved.",
};

/** What a rotator with the single-user strategy alone reads. */
export const singleUserSettingList: readonly Setting[] = [
  {
    name: "SECRET_FIELD",
    absent: "key",
    meaning: "The field of a JSON secret that holds the key. A plain-text secret is the key.",
  },
  oldKey,
];

/** What a rotator with the multi-user strategy alone reads. */
export const multiUserSettingList: readonly Setting[] = [
  {
    name: "SECRET_FIELD",
    absent: "password",
    meaning: "The field of the secret, and of the admin secret, that holds the password.",
  },
];

/** What a rotator with both strategies reads. */
export const settingList: readonly Setting[] = [
  {
    name: "SECRET_FIELD",
    absent: "key; multi-user: password",
    meaning:
      "The field of a JSON secret that holds the key; multi-user: of the secret, and of the admin secret, that holds the password. Single-user: a plain-text secret is the key.",
  },
  { ...oldKey, meaning: `Single-user: ${oldKey.meaning}`, strategy: "single-user" },
];
