import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { bucketPolicy, publisherPolicy } from "./permissions.ts";

/** The actions behind S3's calls: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html */
const s3Actions: Readonly<Record<string, string>> = {
  HeadBucket: "s3:ListBucket",
  HeadObject: "s3:GetObject",
  PutObject: "s3:PutObject",
};

async function actionsInCode(): Promise<readonly string[]> {
  const actions = new Set<string>();
  for await (const file of glob("*.ts", { cwd: import.meta.dirname })) {
    if (file.endsWith(".test.ts")) continue;
    const code = await readFile(join(import.meta.dirname, file), "utf8");
    for (const [, names = "", client] of code.matchAll(/import \{([^}]*)\} from "@aws-sdk\/client-([\w-]+)"/g))
      for (const [, command, paginated = ""] of names.matchAll(/\b(?:(\w+)Command\b|paginate(\w+))/g))
        actions.add(
          client === "s3" ? (s3Actions[command ?? ""] ?? `s3: ${command}`) : `serverlessrepo:${command ?? paginated}`,
        );
  }
  return [...actions].sort();
}

test("the publisher's policy grants what the code calls, neither more nor less", async () => {
  const { Statement: statements } = JSON.parse(publisherPolicy("BUCKET"));
  const granted = statements.flatMap(({ Action }: { Action: string | string[] }) => Action);
  expect(granted.sort()).toEqual(await actionsInCode());
  const onAll = statements.filter(({ Resource }: { Resource: string }) => Resource === "*");
  // The two for which the repository knows no resource.
  expect(onAll.map(({ Action }: { Action: string[] }) => Action)).toEqual([
    ["serverlessrepo:CreateApplication", "serverlessrepo:ListApplications"],
  ]);
});

test("the README has both policies", async () => {
  const readme = await readFile(join(import.meta.dirname, "../README.md"), "utf8");
  for (const policy of [bucketPolicy("BUCKET"), publisherPolicy("BUCKET")]) expect(readme).toContain(policy);
});
