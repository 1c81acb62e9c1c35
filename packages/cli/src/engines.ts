import type { Manifest } from "@quarterturn/core";
import { type Engine, rdsDirectory, type ServerDirectory } from "@quarterturn/database";
import { manifest as documentdb } from "@quarterturn/documentdb/manifest";
import { manifest as mysql } from "@quarterturn/rds-mysql/manifest";
import { manifest as postgres } from "@quarterturn/rds-postgres/manifest";
import { manifest as redshift } from "@quarterturn/redshift/manifest";

/** A database product, whose driver is loaded when it is needed. */
export interface Product {
  readonly manifest: Manifest;
  /** The engine with its default settings. */
  load(): Promise<Engine>;
  /** What AWS knows of its servers. */
  loadDirectory(): Promise<ServerDirectory>;
}

const ofRds = (manifest: Manifest) => ({ manifest, loadDirectory: async () => rdsDirectory(manifest.engines) });

/** Every database that there is a rotator for. */
export const products: readonly Product[] = [
  { ...ofRds(postgres), load: async () => (await import("@quarterturn/rds-postgres")).postgres({}) },
  { ...ofRds(mysql), load: async () => (await import("@quarterturn/rds-mysql")).mysql({}) },
  {
    manifest: documentdb,
    load: async () => (await import("@quarterturn/documentdb")).documentdb,
    loadDirectory: async () => (await import("@quarterturn/documentdb")).documentdbDirectory,
  },
  {
    manifest: redshift,
    load: async () => (await import("@quarterturn/redshift")).redshift({}),
    loadDirectory: async () => (await import("@quarterturn/redshift")).redshiftDirectory,
  },
];

/** The product's functions have a setting for the old password exactly where its servers may keep one. */
export const keepsOldPasswords = ({ manifest }: Product): boolean =>
  manifest.settings.some(({ name }) => name === "OLD_PASSWORD");

/** The product that a secret's `engine` names. */
export function productOf(engine: unknown): Product | undefined {
  return products.find(({ manifest }) => typeof engine === "string" && manifest.engines.includes(engine));
}
