import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { workspace } from "@quarterturn-tools/bundle";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { judge } from "../judges/judges.ts";
import { applications } from "../src/applications.ts";
import { readmeOf } from "../src/readme.ts";
import { templateOf } from "../src/template.ts";

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "quarterturn-sam-"));
  // The Python environment takes a minute where it is not there yet.
  await judge("cfn-lint", ["--version"]);
}, 240_000);
afterAll(() => rm(scratch, { recursive: true }));

test("cfn-lint finds nothing in the templates, nor in what the SAM translator makes of them", {
  timeout: 120_000,
}, async () => {
  const script = fileURLToPath(new URL("../judges/transform.py", import.meta.url));
  const files: string[] = [];
  for (const { folder } of await applications()) {
    const template = join(workspace, "sam-templates", folder, "template.yaml");
    const translated = await judge("python", [script, template]);
    expect(JSON.parse(translated).Resources.RotationFunction.Type).toBe("AWS::Lambda::Function");
    const file = join(scratch, `${folder}.json`);
    await writeFile(file, translated);
    files.push(template, file);
  }
  expect(files.length).toBeGreaterThan(2);
  expect(await judge("cfn-lint", files)).toBe("");
});

describe.for(await applications())("$folder", { timeout: 60_000 }, (application) => {
  // https://docs.aws.amazon.com/serverlessrepo/latest/devguide/serverless-app-publishing-applications.html
  test("the metadata keeps to the repository's limits", () => {
    const metadata = parse(templateOf(application)).Metadata["AWS::ServerlessRepo::Application"];
    expect(metadata.Name).toMatch(/^[a-zA-Z0-9-]{1,140}$/);
    expect(metadata.Description.length).toBeLessThanOrEqual(256);
    expect(metadata.Author).toMatch(/^[a-z0-9](?:-?[a-z0-9]){0,126}$/);
    expect(metadata.Labels.length).toBeLessThanOrEqual(10);
    for (const label of metadata.Labels) expect(label).toMatch(/^[a-zA-Z0-9+\-_:/@]{1,127}$/);
    expect(metadata.SemanticVersion).toMatch(/^\d+\.\d+\.\d+$/);
    expect(metadata.HomePageUrl).toMatch(/^https:\/\//);
    expect(metadata.SpdxLicenseId).toBe("Apache-2.0");
    expect(Buffer.byteLength(readmeOf(application))).toBeLessThan(150_000);
  });

  test("the page's line for the AWS CLI passes the CLI's own validation and names parameters that exist", async () => {
    const page = readmeOf(application).replaceAll("\\\n", " ");
    const line = /^aws serverlessrepo .*$/m.exec(page)?.[0].replace("APPLICATION-ARN", arn(application.name));
    let sent = "";
    const server = createServer(async (request, response) => {
      for await (const chunk of request) sent += chunk;
      response.writeHead(201, { "content-type": "application/json" }).end("{}");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const { port } = server.address() as AddressInfo;
      await judge("sh", ["-c", `${line} --endpoint-url http://127.0.0.1:${port}`], {
        AWS_ACCESS_KEY_ID: "test",
        AWS_SECRET_ACCESS_KEY: "test",
      });
    } finally {
      server.close();
    }
    const overrides: { name: string; value: string }[] = JSON.parse(sent).parameterOverrides;
    const { Parameters: parameters } = parse(templateOf(application));
    expect(overrides.find(({ name }) => name === "vpcSubnetIds")?.value).toBe("subnet-1,subnet-2");
    for (const { name } of overrides) expect(Object.keys(parameters)).toContain(name);
    const required = Object.entries(parameters as Record<string, object>).filter(([, each]) => !("Default" in each));
    expect(overrides.map(({ name }) => name)).toEqual(expect.arrayContaining(required.map(([name]) => name)));
  });
});

const arn = (name: string) => `arn:aws:serverlessrepo:eu-west-1:123456789012:applications/${name}`;
