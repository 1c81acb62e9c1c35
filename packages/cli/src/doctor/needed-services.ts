import { permissionsOf } from "@quarterturn/core";
import { databaseOf, type Facts } from "./facts.ts";
import { settingsOf } from "./rotation-function.ts";

/** A service of AWS that the function calls, as its endpoints are named, e.g. `redshift-data`. */
export interface NeededService {
  readonly name: string;
  /** Whether this rotation is known to call it; which of two a managed admin's server is in, or whether one is asked, need not be. */
  readonly isCertain: boolean;
}

/** docs/locking-down.md has the same as a table. */
export function neededServices(facts: Facts): readonly NeededService[] {
  const { strategy, admin, rotationFunction } = facts;
  const manifest = databaseOf(facts)?.product.manifest;
  const settings = rotationFunction ? settingsOf(rotationFunction) : {};
  const permissions = manifest ? permissionsOf({ manifest, strategy }) : [];
  const namesOf = (used: typeof permissions) =>
    [...new Set(used.map(({ service }) => service))].filter((name) => name !== "secretsmanager");
  const bySetting = namesOf(permissions.filter(({ setting }) => setting && settings[setting.name] === setting.value));
  const byQuestion = admin?.asksForServers ? namesOf(permissions.filter(({ setting }) => setting === undefined)) : [];
  return [
    { name: "secretsmanager", isCertain: true },
    ...bySetting.map((name) => ({ name, isCertain: true })),
    ...byQuestion.map((name) => ({ name, isCertain: admin?.asksForServers === true && byQuestion.length === 1 })),
  ];
}
