import { coreSettingList, type Manifest, type RotatorManifest, type Setting } from "@quarterturn/core";
import { databaseSettingList } from "@quarterturn/database";

/** The settings of a rotator that is no database's: it has no moment at which logins are refused, which EARLY_PROMOTION could shorten. */
export const settingsWithoutWindow = coreSettingList.filter(({ name }) => name !== "EARLY_PROMOTION");

/** The environment variables that a package's functions read. */
export function settingsOf(manifest: Manifest | RotatorManifest): readonly Setting[] {
  const general = isDatabase(manifest) ? [...databaseSettingList, ...coreSettingList] : settingsWithoutWindow;
  const own = new Map(manifest.settings.map((setting) => [setting.name, setting]));
  const narrowed = general.map((setting) => own.get(setting.name) ?? setting);
  return [...manifest.settings.filter((setting) => !narrowed.includes(setting)), ...narrowed];
}

export const isDatabase = (manifest: Manifest | RotatorManifest): manifest is Manifest =>
  "excludeCharacters" in manifest;
