import type { Manifest } from "@quarterturn/core";

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
      meaning:
        "wire: PostgreSQL's protocol, from within the VPC. data-api: the Redshift Data API, without a route to the cluster; docs/redshift-data-api.md has its permissions and what it costs.",
    },
  ],
  verifiedAgainst: [
    "No statement of this package has run on Amazon Redshift: outside AWS there is none",
    "PostgreSQL 18 behind an imitation of Redshift (its statements, catalogue views, md5 logins and error codes; test/imitation says what it imitates), over verified TLS: the conformance suite with its crash matrix, the twin, bad input",
    "The same behind a local imitation of the Redshift Data API, judged by the SDK's client: the conformance suite with its crash matrix",
    "Every statement was compared by hand with the pages of Redshift's documentation that STATEMENTS.md names; no test does that. The Redshift and Redshift Serverless APIs are imitated by name",
    "Not tried by anybody known: node-postgres sending several statements at once (its pipeline mode) to Redshift; row-level security, models and scoped permissions in a twin; GRANT USAGE on an external schema within a transaction",
  ],
};
