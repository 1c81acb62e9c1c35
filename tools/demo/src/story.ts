import { styleText } from "node:util";
import type { Environment, Strategy } from "./environment.ts";

/** A rotation of the demo, and what to know about it. */
export interface Chapter {
  readonly strategy: Strategy;
  /** Its column in the summary. */
  readonly column: readonly [string, string];
  readonly title: string;
  readonly text: string;
}

export const chapters: readonly Chapter[] = [
  {
    strategy: "single-user",
    column: ["single-user", ""],
    title: '1 of 3  Single-user: "checkout" changes its own password',
    text: `\
One user has one password. From the moment when setSecret changes it until
finishSecret moves AWSCURRENT, the application reads the old password and is
refused. With one user this window can be short, but it is always there.`,
  },
  {
    strategy: "multi-user",
    column: ["multi-user", "to the twin"],
    title: '2 of 3  Multi-user: an admin prepares a second user, "checkout_clone"',
    text: `\
The new version names another user: the twin, which acts as "checkout" and has
its rights. The user that the application logs in as is left alone. When
AWSCURRENT moves, both passwords are valid: no login is refused.`,
  },
  {
    strategy: "multi-user",
    column: ["multi-user", "and back"],
    title: '3 of 3  Multi-user again: now it is the turn of "checkout"',
    text: `\
The two users alternate: "checkout" gets a new password while the application
uses "checkout_clone".`,
  },
];

/** What a newcomer has to know. */
export function introduction(): string {
  return `
${styleText("bold", "Quarterturn: rotate a PostgreSQL password while an application uses it")}

AWS Secrets Manager keeps versions of a secret, and labels say what they are
for. Applications read the version ${name("AWSCURRENT")}. A rotation makes a new one,
${name("AWSPENDING")}, and moves AWSCURRENT to it; the one before becomes ${name("AWSPREVIOUS")}.
For this the service calls a function four times, once for each step:

  createSecret   stores a new password as AWSPENDING, and nowhere else
  setSecret      gives the database the new password
  testSecret     logs in with it
  finishSecret   moves AWSCURRENT to the new version (AWSPENDING may stay on it,
                 and then means nothing)`;
}

/** Who plays which part. */
export function cast({ postgres, endpoint, secretId }: Environment): string {
  return `
What runs here (Secrets Manager and Lambda are imitated, the rest is real):

  database       PostgreSQL ${postgres.version} at ${postgres.host}:${postgres.port}
  service        the local Secrets Manager endpoint at ${endpoint.url}
  function       the handlers of @quarterturn/rds-postgres that AWS Lambda runs,
                 here each in a process of its own
  secret         ${secretId}: username, password, host, port, dbname
  application    reads the secret, logs in over verified TLS, places an order;
                 again and again, without a pause and without a second try

The tables below count, for each step, the function's calls of the service and
its logins to the database, and the refused logins of the application.`;
}

export function chapterHeading({ title: text, text: explanation }: Chapter): string {
  return `\n${styleText("bold", text)}\n\n${explanation}`;
}

export const nextSteps = `
What to do next
  npm run local -- --help   run the endpoint alone, for your own programs
  npm test                  the tests, with real databases
  packages/rds-postgres     the rotation functions that you have just seen
  packages/core/src         the four steps, whatever they rotate (runner.ts)`;

const name = (label: string) => styleText("bold", label);
