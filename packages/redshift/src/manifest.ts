import type { Manifest, Permission } from "@quarterturn/core";

/** What all probe secrets' names begin with: the function's role needs its rights on these only. */
export const PROBE_PREFIX = "quarterturn-probe/";

const setting = { name: "REDSHIFT_TRANSPORT", value: "data-api" };

/** docs/redshift-data-api.md says what each is for. */
const dataApiPermissions: readonly Permission[] = [
  {
    service: "redshift-data",
    operations: ["BatchExecuteStatement"],
    resources: ["redshift:cluster:*", "redshift-serverless:workgroup/*"],
    why: "Statements, in clusters and workgroups of the function's account.",
    setting,
  },
  {
    service: "redshift-data",
    operations: ["CancelStatement", "DescribeStatement", "GetStatementResult"],
    condition: { StringEquals: { "redshift-data:statement-owner-iam-userid": "${aws:userid}" } },
    why: "What became of the function's own statements.",
    setting,
  },
  {
    service: "secretsmanager",
    operations: ["CreateSecret", "DeleteSecret", "GetSecretValue"],
    resources: [`secretsmanager:secret:${PROBE_PREFIX}*`],
    why: "Probe secrets.",
    setting,
  },
];

export const manifest: Manifest = {
  name: "redshift",
  title: "Redshift",
  engines: ["redshift"],
  port: 5439,
  dbname: "dev",
  excludeCharacters: "/@\"'\\:",
  usernameLimit: 127,
  settings: [
    {
      name: "REDSHIFT_TRANSPORT",
      absent: "wire",
      values: ["wire", "data-api"],
      meaning:
        "wire: PostgreSQL's protocol, from within the VPC. data-api: the Redshift Data API, without a route to the cluster; docs/redshift-data-api.md has its permissions and what it costs.",
    },
  ],
  permissions: [
    {
      service: "redshift",
      operations: ["DescribeClusters"],
      resources: ["redshift:cluster:*"],
      why: "Admin secrets that a cluster manages.",
      strategy: "multi-user",
    },
    {
      service: "redshift-serverless",
      operations: ["ListNamespaces", "ListWorkgroups"],
      why: "Admin secrets that a serverless namespace manages.",
      strategy: "multi-user",
    },
    ...dataApiPermissions,
  ],
  verifiedAgainst: [
    "No statement of this package has run on Amazon Redshift: outside AWS there is none",
    "PostgreSQL 18 behind an imitation of Redshift (its statements, catalogue views, md5 logins and error codes; test/imitation says what it imitates), over verified TLS: the conformance suite with its crash matrix, the twin, bad input",
    "The same behind a local imitation of the Redshift Data API, judged by the SDK's client: the conformance suite with its crash matrix",
    "Every statement was compared by hand with the pages of Redshift's documentation that STATEMENTS.md names; no test does that. The Redshift and Redshift Serverless APIs are imitated by name",
    "Not tried by anybody known: node-postgres sending several statements at once (its pipeline mode) to Redshift; row-level security, models and scoped permissions in a twin; GRANT USAGE on an external schema within a transaction",
  ],
};
