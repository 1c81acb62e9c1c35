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
      meaning: "wire: PostgreSQL's protocol, from within the VPC.",
    },
  ],
  verifiedAgainst: [
    "No statement of this package has run on Amazon Redshift: outside AWS there is none",
    "PostgreSQL 18 behind an imitation of Redshift (its statements, catalogue views, md5 logins and error codes; test/imitation says what it imitates), over verified TLS: the conformance suite with its crash matrix, the twin, bad input",
    "Every statement is compared with Redshift's documentation as a text, which src cites; the Redshift and Redshift Serverless APIs are imitated by name",
  ],
};
