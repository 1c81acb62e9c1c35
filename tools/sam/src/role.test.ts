import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { bundleJavaScript, lambdaFunctions, workspace } from "@quarterturn-tools/bundle";
import { beforeAll, describe, expect, test } from "vitest";
import { type Application, applications } from "./applications.ts";
import { calledActions } from "./called-actions.ts";
import { roleStatements, type Statement } from "./role.ts";

/** What a role grants beside what the function's own code calls: Lambda itself needs it, or KMS behind Secrets Manager. */
const notCalled = /^(kms|logs|xray|ec2):/;

/** Actions for which IAM knows no resource. */
const withoutResource =
  /^(xray:.*|ec2:(?!Delete).*|redshift-serverless:List.*|redshift-data:(CancelStatement|DescribeStatement|GetStatementResult))$/;

/** The sources of which something is in a function's bundle: their paths, and their texts. */
async function sourcesOf({ folder }: Application): Promise<ReadonlyMap<string, string>> {
  const entry = (await lambdaFunctions()).find(({ name }) => name === folder)?.entry ?? "";
  const { sources } = await bundleJavaScript(entry);
  const texts = sources.map(async (path) => [path, await readFile(join(workspace, path), "utf8")] as const);
  return new Map(await Promise.all(texts));
}

test("docs/redshift-data-api.md shows what the role of Redshift's functions has for the Data API", async () => {
  const page = await readFile(join(workspace, "docs/redshift-data-api.md"), "utf8");
  const shown = /## Permissions of the function's role\n.*?```json\n(.*?)```/s.exec(page)?.[1] ?? "";
  const application = (await applications()).find(({ folder }) => folder === "redshift-single-user") as Application;
  const ofDataApi = roleStatements(application).filter(({ onlyIf }) => onlyIf === "redshiftTransportIsDataApi");
  const statements: { Action: string | string[]; Resource: string; Condition?: unknown }[] =
    JSON.parse(shown).Statement;
  expect(statements.map((each) => ({ ...each, Action: [each.Action].flat().sort() }))).toEqual(
    ofDataApi.map(({ actions, resources, condition }) => ({
      Effect: "Allow",
      Action: [...actions].sort(),
      // Of clusters and workgroups the page shows a cluster's.
      Resource: onPage(resources[0]),
      ...(condition === undefined ? {} : { Condition: condition }),
    })),
  );
});

/** A resource as the page has it. */
function onPage(resource: Statement["resources"][number] | undefined): string {
  const text = typeof resource === "string" ? resource : String((resource as { "Fn::Sub": string })["Fn::Sub"]);
  return text
    .replace("${AWS::Partition}", "aws")
    .replace("${AWS::Region}", "REGION")
    .replace("${AWS::AccountId}", "ACCOUNT")
    .replace("${functionName}", "FUNCTION")
    .replace("cluster:*", "cluster:CLUSTER");
}

describe.for(await applications())("$folder", (application) => {
  let sources: ReadonlyMap<string, string>;
  beforeAll(async () => {
    sources = await sourcesOf(application);
  });
  const statements = roleStatements(application);
  const actionsOf = (some: readonly Statement[]) => [...new Set(some.flatMap(({ actions }) => actions))].sort();

  test("the role grants what the code calls, neither more nor less", () => {
    expect(actionsOf(statements).filter((action) => !notCalled.test(action))).toEqual(
      calledActions([...sources.values()]),
    );
  });

  test("to rotated secrets it grants what core calls, and no more", () => {
    const ofCore = [...sources].flatMap(([path, code]) => (path.startsWith("packages/core/") ? [code] : []));
    const ofRotated = statements.filter(({ condition }) => JSON.stringify(condition)?.includes("AllowRotationLambda"));
    expect(actionsOf(ofRotated)).toEqual(calledActions(ofCore));
  });

  test("to probe secrets it grants what makes and deletes them calls, and that the Data API reads them", () => {
    const ofProbes = [...sources].flatMap(([path, code]) => (path.endsWith("/probe-secret.ts") ? [code] : []));
    const probes = statements.filter(({ resources }) => JSON.stringify(resources).includes("quarterturn-probe/"));
    const called = calledActions(ofProbes);
    expect(actionsOf(probes)).toEqual(called.length === 0 ? [] : [...called, "secretsmanager:GetSecretValue"]);
  });

  test("nothing is granted on every resource but what knows no narrower one", () => {
    const onAll = statements.filter(({ effect, resources }) => !effect && resources.includes("*"));
    expect(actionsOf(onAll).filter((action) => !withoutResource.test(action))).toEqual([]);
  });
});
