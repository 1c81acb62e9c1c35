import { ComponentType } from "@cyclonedx/cyclonedx-library/Enums";
import { Bom, Component, LicenseRepository, Metadata, SpdxLicense } from "@cyclonedx/cyclonedx-library/Models";
import { JSON as Json, JsonSerializer } from "@cyclonedx/cyclonedx-library/Serialize";
import { Spec1dot6 } from "@cyclonedx/cyclonedx-library/Spec";
import { PackageURL } from "packageurl-js";
import type { BundledPackage, BundledPackages } from "./bundled-packages.ts";

/**
 * What is in a function, for scanners: a software bill of materials in CycloneDX's JSON. It has no serial number and no time, which the format
 * does not ask for: the same packages give the same bytes.
 *
 * @param name the function's
 * @see https://cyclonedx.org/docs/1.6/json/
 */
export function sbom(name: string, { packages, entryImports }: BundledPackages): string {
  const components = new Map(packages.map((each) => [each.folder, componentOf(each)]));
  const [handlers] = packages.filter(({ folder }) => folder === entryImports[0]);
  if (handlers === undefined) throw new Error(`The handler of ${name} is in none of the packages that are bundled.`);
  const { version, license } = handlers;
  const licenses = new LicenseRepository([new SpdxLicense(license)]);
  const main = new Component(ComponentType.Application, name, { version, bomRef: name, licenses });
  const bom = new Bom({ metadata: new Metadata({ component: main }) });
  for (const { folder, imports } of packages) {
    const component = components.get(folder);
    if (component === undefined) continue;
    bom.components.add(component);
    link(component, imports);
  }
  link(main, entryImports);
  return new JsonSerializer(new Json.Normalize.Factory(Spec1dot6)).serialize(bom, { sortLists: true, space: 1 });

  function link(from: Component, folders: readonly string[]): void {
    for (const folder of folders) {
      const target = components.get(folder);
      if (target !== undefined) from.dependencies.add(target.bomRef);
    }
  }
}

function componentOf({ name, version, license }: BundledPackage): Component {
  const [unscoped = name, group] = name.split("/").reverse();
  return new Component(ComponentType.Library, unscoped, {
    group,
    version,
    bomRef: `${name}@${version}`,
    purl: new PackageURL("npm", group, unscoped, version).toString(),
    licenses: new LicenseRepository([new SpdxLicense(license)]),
  });
}
