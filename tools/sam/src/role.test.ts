import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { bundleJavaScript, lambdaFunctions, workspace } from "@quarterturn-tools/bundle";
import { beforeAll, describe, expect, test } from "vitest";
import { type Application, applications } from "./applications.ts";
import { roleStatements } from "./role.ts";
import { isDatabase } from "./settings.ts";

/** What a role grants beside what the function's own code calls: Lambda itself needs it, or KMS behind Secrets Manager. */
const notCalled = /^(kms|logs|xray|ec2):/;

/** Actions for which IAM knows no resource. */
const withoutResource =
  /^(xray:.*|ec2:(?!Delete).*|redshift-serverless:List.*|redshift-data:(CancelStatement|DescribeStatement|GetStatementResult))$/;

/** The code of the sources of which something is in a function's bundle. */
async function codeOf({ folder }: Application): Promise<readonly string[]> {
  const entry = (await lambdaFunctions()).find(({ name }) => name === folder)?.entry ?? "";
  const { sources } = await bundleJavaScript(entry);
  return Promise.all(sources.map((source) => readFile(join(workspace, source), "utf8")));
}

/** The actions of the SDK's commands in it. */
function actionsIn(sources: readonly string[]): readonly string[] {
  const actions = new Set<string>();
  for (const code of sources) {
    for (const [, names = "", client] of code.matchAll(/import \{([^}]*)\} from "@aws-sdk\/client-([\w-]+)"/g)) {
      for (const [, command, paginated] of names.matchAll(/\b(?:(\w+)Command\b|paginate(\w+))/g))
        actions.add(`${client?.replace("secrets-manager", "secretsmanager")}:${command ?? paginated}`);
    }
  }
  return [...actions].sort();
}

test("docs/redshift-data-api.md shows what the role of Redshift's functions has for the Data API", async () => {
  const page = await readFile(join(workspace, "docs/redshift-data-api.md"), "utf8");
  const shown = /## Permissions of the function's role\n.*?```json\n(.*?)```/s.exec(page)?.[1] ?? "";
  const application = (await applications()).find(({ folder }) => folder === "redshift-single-user") as Application;
  const ofDataApi = roleStatements(application).filter(({ onlyIf }) => onlyIf === "redshiftTransportIsDataApi");
  expect(
    (JSON.parse(shown) as { Statement: { Action: string | string[]; Condition?: unknown }[] }).Statement.map(
      (each) => ({
        actions: [each.Action].flat().sort(),
        condition: each.Condition,
      }),
    ),
  ).toEqual(ofDataApi.map(({ actions, condition }) => ({ actions: [...actions].sort(), condition })));
});

describe.for(await applications())("$folder", (application) => {
  let sources: readonly string[];
  beforeAll(async () => {
    sources = await codeOf(application);
  });

  test("the role grants what the code calls, neither more nor less", () => {
    const granted = new Set(roleStatements(application).flatMap(({ actions }) => actions));
    expect([...granted].filter((action) => !notCalled.test(action)).sort()).toEqual(actionsIn(sources));
  });

  test("nothing is granted on every resource but what knows no narrower one", () => {
    const onAll = roleStatements(application).filter(({ effect, resources }) => !effect && resources.includes("*"));
    expect(onAll.flatMap(({ actions }) => actions).filter((action) => !withoutResource.test(action))).toEqual([]);
  });

  test("secrets are reached only where they name this function, as the admin secret that was given, or as probes", () => {
    const secrets = roleStatements(application).filter(({ actions }) => actions.some((each) => /^secretsm/.test(each)));
    for (const { condition, resources } of secrets.filter(({ onlyIf }) => onlyIf === undefined)) {
      expect(JSON.stringify(condition)).toContain("secretsmanager:resource/AllowRotationLambdaArn");
      expect(JSON.stringify(resources)).not.toContain('"*"');
    }
    const probes = secrets.filter(({ resources }) => JSON.stringify(resources).includes("secret:quarterturn-probe/*"));
    expect(probes.map(({ onlyIf }) => onlyIf)).toEqual(
      application.manifest.name === "redshift" ? ["redshiftTransportIsDataApi"] : [],
    );
    const admin = secrets.filter((each) => each.onlyIf !== undefined && !probes.includes(each));
    const isDatabaseUsers = application.strategy === "single-user" && isDatabase(application.manifest);
    expect(admin.map(({ onlyIf }) => onlyIf)).toEqual(isDatabaseUsers ? [] : ["hasSuperuserSecret", "hasMasterSecret"]);
    // The rotated secret is "secretId" in all code.
    const describesAdmin = sources.some((code) => /\.describeSecret\((?!secretId)/.test(code));
    const actions = describesAdmin ? ["DescribeSecret", "GetSecretValue"] : ["GetSecretValue"];
    for (const each of admin) expect(each.actions).toEqual(actions.map((action) => `secretsmanager:${action}`));
  });
});
