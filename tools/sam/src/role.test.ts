import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { bundleJavaScript, lambdaFunctions, workspace } from "@quarterturn-tools/bundle";
import { describe, expect, test } from "vitest";
import { applications } from "./applications.ts";
import { roleStatements } from "./role.ts";

/** What a role grants beside what the function's own code calls: Lambda itself needs it, or KMS behind Secrets Manager. */
const notCalled = /^(kms|logs|xray|ec2):/;

/** Actions for which IAM knows no resource. */
const withoutResource =
  /^(xray:.*|ec2:.*|redshift-serverless:List.*|redshift-data:(CancelStatement|DescribeStatement|GetStatementResult))$/;

/** The actions of the SDK's commands that a function's bundle holds, from the sources of which something is in it. */
async function actionsInCode(entry: string): Promise<readonly string[]> {
  const { sources } = await bundleJavaScript(entry);
  const actions = new Set<string>();
  for (const source of sources) {
    const code = await readFile(join(workspace, source), "utf8");
    for (const [, names = "", client] of code.matchAll(/import \{([^}]*)\} from "@aws-sdk\/client-([\w-]+)"/g)) {
      for (const [, command, paginated] of names.matchAll(/\b(?:(\w+)Command\b|paginate(\w+))/g))
        actions.add(`${client?.replace("secrets-manager", "secretsmanager")}:${command ?? paginated}`);
    }
  }
  return [...actions].sort();
}

describe.for(await applications())("$folder", (application) => {
  test("the role grants what the code calls, neither more nor less", async () => {
    const entry = (await lambdaFunctions()).find(({ name }) => name === application.folder)?.entry ?? "";
    const granted = new Set(roleStatements(application).flatMap(({ actions }) => actions));
    expect([...granted].filter((action) => !notCalled.test(action)).sort()).toEqual(await actionsInCode(entry));
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
    expect(admin.map(({ onlyIf }) => onlyIf)).toEqual(
      application.strategy === "multi-user" ? ["hasSuperuserSecret", "hasMasterSecret"] : [],
    );
    expect(JSON.stringify(admin)).not.toMatch(/PutSecretValue|UpdateSecretVersionStage/);
  });
});
