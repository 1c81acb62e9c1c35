import { createHash } from "node:crypto";
import { applications, readmeOf, templateOf } from "@quarterturn-tools/sam";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { type Parts, packageApplication } from "./packaged-application.ts";

const parts: readonly Parts[] = (await applications()).map((application) => ({
  folder: application.folder,
  template: templateOf(application),
  readme: readmeOf(application),
  license: "the licence",
  code: Buffer.from(`code of ${application.name}`),
}));

test.each(parts)(
  "$folder: the template has the archive's place in S3, and nothing of this repository's folders",
  (each) => {
    const { template, archive, page, license, name, version } = packageApplication(each, "releases");
    const before = parse(each.template);
    const metadata = before.Metadata["AWS::ServerlessRepo::Application"];
    delete before.Metadata;
    before.Resources.RotationFunction.Properties.CodeUri = `s3://releases/${archive.key}`;
    expect(parse(template)).toEqual(before);
    expect(archive.key).toBe(`quarterturn/${each.folder}/${createHash("sha256").update(each.code).digest("hex")}.zip`);
    expect(template).not.toMatch(/\.\.\/|build\/lambda/);
    // YAML 1.1 reads it as a date where it is not quoted.
    expect(template).toContain('"2012-10-17"');
    expect({ Name: name, SemanticVersion: version, ...page, ...license }).toMatchObject({
      Name: metadata.Name,
      SemanticVersion: metadata.SemanticVersion,
      Description: metadata.Description,
      Author: metadata.Author,
      Labels: metadata.Labels,
      HomePageUrl: metadata.HomePageUrl,
      ReadmeBody: each.readme,
      SpdxLicenseId: "Apache-2.0",
      LicenseBody: "the licence",
    });
  },
);

test("the digest is of the code and the template, and of neither the bucket nor the page", () => {
  const [example] = parts;
  if (example === undefined) expect.unreachable();
  const digest = (changed: Partial<Parts>, bucket = "releases") =>
    packageApplication({ ...example, ...changed }, bucket).sourceCodeUrl;
  const original = digest({});
  expect(original).toMatch(/^https:\/\/[^#]+#sha256=[0-9a-f]{64}$/);
  expect(digest({}, "elsewhere")).toBe(original);
  expect(digest({ readme: "# Other words" })).toBe(original);
  expect(digest({ code: Buffer.from("other code") })).not.toBe(original);
  expect(digest({ template: example.template.replace("MemorySize", "EphemeralStorage") })).not.toBe(original);
  expect(new Set(parts.map((each) => packageApplication(each, "releases").sourceCodeUrl)).size).toBe(parts.length);
});

test("a template with more functions than one is refused", () => {
  const [example] = parts;
  if (example === undefined) expect.unreachable();
  const template = `${example.template}`.replace(
    "Resources:\n",
    "Resources:\n  Another:\n    Type: AWS::Serverless::Function\n",
  );
  expect(() => packageApplication({ ...example, template }, "releases")).toThrow(
    `${example.folder}: one archive, and 2 functions in the template`,
  );
});
