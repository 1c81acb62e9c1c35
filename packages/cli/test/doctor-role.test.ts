/** What `doctor` asks IAM about a function's role, compared with what the templates grant it. */
import { applications, roleStatements } from "@quarterturn-tools/sam";
import { expect, test } from "vitest";
import { keyNeeds, type Needing, roleNeeds } from "../src/doctor/needs.ts";
import { products } from "../src/engines.ts";

const place = { partition: "aws", region: "eu-central-1", account: "111122223333" };
const arn = (resource: string) => `arn:aws:${resource.replace(":", ":eu-central-1:111122223333:")}`;
const least: Needing = {
  place,
  secretArn: arn("secretsmanager:secret:shop-AbCdEf"),
  functionArn: arn("lambda:function:shop-rotation"),
  isInVpc: false,
  logGroup: "shop-log",
  strategy: "single-user",
  settings: {},
  asksForServers: false,
  isActive: true,
};

const ofDatabases = (await applications()).filter(({ isExample }) => !isExample);

test.each(ofDatabases)(
  "with everything on, $folder is asked for what its template grants, but for traces",
  (application) => {
    const { manifest, strategy } = application;
    const product = products.find((each) => each.manifest.name === manifest.name);
    const settings = Object.fromEntries(
      (manifest.permissions ?? []).flatMap(({ setting }) => (setting ? [[setting.name, setting.value]] : [])),
    );
    const adminSecretArn = arn("secretsmanager:secret:boss-AbCdEf");
    const needs = [
      ...roleNeeds({
        ...least,
        isInVpc: true,
        strategy,
        settings,
        asksForServers: true,
        ...(product && { product }),
        ...(strategy === "multi-user" && { adminSecretArn }),
      }),
      ...keyNeeds(place, arn("kms:key/one"), least.secretArn, "the key"),
      ...keyNeeds(place, arn("kms:key/two"), adminSecretArn, "the admin secret's key"),
    ];
    const granted = roleStatements(application)
      .filter(({ effect }) => effect !== "Deny")
      .flatMap(({ actions }) => actions)
      .filter((action) => !action.startsWith("xray:"));
    const asked = needs.flatMap(({ actions }) => actions);
    expect([...new Set(asked)].sort()).toEqual([...new Set(granted)].sort());
  },
);

test("what a setting, a VPC or another server asks for is not needed without it", () => {
  const product = products.find(({ manifest }) => manifest.name === "redshift");
  const actionsOf = (changes: Partial<Needing>) =>
    roleNeeds({ ...least, ...(product && { product }), ...changes }).flatMap(({ actions }) => actions);
  const bare = actionsOf({});
  expect(bare.filter((action) => !/^(secretsmanager|logs):/.test(action))).toEqual([]);
  const added = (changes: Partial<Needing>) => actionsOf(changes).filter((action) => !bare.includes(action));
  expect(added({ isInVpc: true }).every((action) => action.startsWith("ec2:"))).toBe(true);
  expect(added({ settings: { REDSHIFT_TRANSPORT: "wire" } })).toEqual([]);
  expect(added({ settings: { REDSHIFT_TRANSPORT: "data-api" } })).toContain("redshift-data:BatchExecuteStatement");
  expect(added({ strategy: "multi-user", asksForServers: true })).toContain("redshift:DescribeClusters");
  expect(added({ strategy: "multi-user" })).toEqual([]);
  expect(added({ strategy: "single-user", asksForServers: true })).toEqual([]);
});

test("resources are of the account and Region, and conditions of a manifest are fulfilled", () => {
  const product = products.find(({ manifest }) => manifest.name === "redshift");
  const needs = roleNeeds({
    ...least,
    settings: { REDSHIFT_TRANSPORT: "data-api" },
    ...(product && { product }),
  });
  const of = (action: string) => needs.find(({ actions }) => actions.includes(action));
  expect(of("secretsmanager:DeleteSecret")?.resources).toEqual([
    arn("secretsmanager:secret:quarterturn-probe/shop-rotation/*"),
  ]);
  const { conditions = {} } = of("redshift-data:DescribeStatement") ?? {};
  expect(conditions["redshift-data:statement-owner-iam-userid"]).toBe(conditions["aws:userid"]);
  expect(conditions["aws:userid"]).toBeDefined();
  expect(of("redshift-data:DescribeStatement")?.resources).toEqual(["*"]);
});

test("with a server's name the cluster is known, and else that what a role is narrowed to is not", () => {
  const product = products.find(({ manifest }) => manifest.name === "redshift");
  const of = (host: string) =>
    roleNeeds({ ...least, settings: { REDSHIFT_TRANSPORT: "data-api" }, host, ...(product && { product }) }).find(
      ({ actions }) => actions.includes("redshift-data:BatchExecuteStatement"),
    );
  const known = of("shop.abc123.eu-central-1.redshift.amazonaws.com");
  expect(known?.resources).toEqual([arn("redshift:cluster:shop")]);
  expect(known?.elseDecides).toBeUndefined();
  const unknown = of("shop.111122223333.eu-central-1.redshift-serverless.amazonaws.com");
  expect(unknown?.resources).toEqual([arn("redshift:cluster:*"), arn("redshift-serverless:workgroup/*")]);
  expect(unknown?.elseDecides).toMatch(/^the real resource/);
});

test("a key's own policy decides alone in the role's account only, and its calls are China's in China", () => {
  const of = (keyArn: string, region = place.region) =>
    keyNeeds({ ...place, region }, keyArn, least.secretArn, "the key")[0];
  expect(of(arn("kms:key/one"))?.elseDecides).toMatch(/^the key's own policy/);
  expect(of("arn:aws:kms:eu-central-1:999999999999:key/one")?.elseDecides).toBeUndefined();
  const through = (region: string) => of(arn("kms:key/one"), region)?.conditions?.["kms:ViaService"];
  expect(through("cn-north-1")).toBe("secretsmanager.cn-north-1.amazonaws.com.cn");
  expect(through("eu-central-1")).toBe("secretsmanager.eu-central-1.amazonaws.com");
});

test("a call's source is the function without its alias", () => {
  const [ofSecret] = roleNeeds({ ...least, functionArn: `${least.functionArn}:live` });
  expect(ofSecret?.conditions?.["lambda:SourceFunctionArn"]).toBe(least.functionArn);
});
