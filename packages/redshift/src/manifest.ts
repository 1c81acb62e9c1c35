import type { Manifest, Permission, Setting } from "@quarterturn/core";

/** What all probe secrets' names begin with. The function's name follows: its role needs its rights on these only. */
export const PROBE_PREFIX = "quarterturn-probe/";

/** Characters of a password that Redshift takes. @see https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_USER.html */
export const redshiftPasswordLengths = { min: 8, max: 64 };

/** A class of characters of which Redshift asks for one in each password. */
const neededClass = (name: string, what: string): Setting => ({
  name,
  absent: "false",
  meaning: `Must be false: Redshift asks for ${what} in each password.`,
  values: ["false"],
});

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
    resources: [`secretsmanager:secret:${PROBE_PREFIX}\${functionName}/*`],
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
    {
      name: "ALLOWED_HOSTS",
      absent: "none",
      meaning:
        "Multi-user, by wire: hosts that belong to the admin's cluster or workgroup although their names differ (a custom name, a VPC endpoint), separated by commas.",
      strategy: "multi-user",
    },
    {
      name: "PASSWORD_LENGTH",
      absent: "32",
      meaning: `Characters of a generated password, ${redshiftPasswordLengths.min} to ${redshiftPasswordLengths.max}.`,
      limits: redshiftPasswordLengths,
    },
    neededClass("EXCLUDE_NUMBERS", "a digit"),
    neededClass("EXCLUDE_UPPERCASE", "an upper-case letter"),
    neededClass("EXCLUDE_LOWERCASE", "a lower-case letter"),
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
