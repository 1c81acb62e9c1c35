import { styleText } from "node:util";
import type { Strategy } from "./engine.ts";
import type { Environment } from "./environment.ts";

/** What an engine's demo tells. Lines are at most 80 columns wide. */
export interface Story {
  /** What is rotated, e.g. "a MySQL password". */
  readonly subject: string;
  /** What is started, e.g. "MySQL". */
  readonly starts: string;
  /** What the first three steps do. */
  readonly steps: string;
  /** What is not the real thing, e.g. "Secrets Manager and Lambda are imitated, the rest is real". */
  readonly imitated: string;
  /** The server's part in the cast. */
  readonly server: string;
  /** Whose handlers run, and where to read them, from the repository's root. */
  readonly handlers: string;
  readonly folder: string;
  /** What the application does with the secret. */
  readonly application: string;
  /** What the tables count. */
  readonly counted: string;
  readonly chapters: readonly Chapter[];
}

/** A rotation of the demo, and what to know about it. */
export interface Chapter {
  readonly strategy: Strategy;
  /** Whether logins of the application are refused between setSecret and finishSecret. */
  readonly window: "refused" | "none";
  /** What is counted, where it is not logins. */
  readonly unit?: "request";
  /** Its column in the summary. */
  readonly column: readonly [string, string];
  readonly title: string;
  readonly text: string;
}

/** The story of a database's users. */
export function databaseStory(title: string, rotator: string, chapters: readonly Chapter[]): Story {
  return {
    subject: `a ${title} password`,
    starts: title,
    steps: `\
  createSecret   stores a new password as AWSPENDING, and nowhere else
  setSecret      gives the database the new password
  testSecret     logs in with it`,
    imitated: "Secrets Manager and Lambda are imitated, the rest is real",
    server: "database",
    handlers: `@quarterturn/${rotator}`,
    folder: `packages/${rotator}`,
    application: "reads the secret, logs in over verified TLS, places an order;",
    counted: `\
The tables below count, for each step, the function's calls of the service and
its logins to the database, and the refused logins of the application.`,
    chapters,
  };
}

/** Single-user where a user has one password. */
export const onePassword: Chapter = {
  strategy: "single-user",
  window: "refused",
  column: ["single-user", ""],
  title: 'Single-user: "checkout" changes its own password',
  text: `\
One user has one password. From the moment when setSecret changes it until
finishSecret moves AWSCURRENT, the application reads the old password and is
refused. With one user this window can be short, but it is always there.`,
};

/** Single-user where a user may keep its old password beside the new one. */
export const twoPasswords: Chapter = {
  strategy: "single-user",
  window: "none",
  column: ["single-user", ""],
  title: 'Single-user: "checkout" changes its own password and keeps the old one',
  text: `\
A MySQL user may have two passwords, if an administrator allows it, once:

  GRANT APPLICATION_PASSWORD_ADMIN ON *.* TO checkout;

Then setSecret gives "checkout" a new one beside the one that the application
reads, which stays valid until the next rotation: no login is refused. Without
that right the function warns, and logins are refused as with one password.`,
};

const back: Chapter = {
  strategy: "multi-user",
  window: "none",
  column: ["multi-user", "and back"],
  title: 'Multi-user again: now it is the turn of "checkout"',
  text: `\
The two users alternate: "checkout" gets a new password while the application
uses "checkout_clone".`,
};

const toTwin = { ...back, column: ["multi-user", "to the twin"] } satisfies Chapter;

/** Multi-user where the twin acts as the original. */
export const twinActs: readonly Chapter[] = [
  {
    ...toTwin,
    title: 'Multi-user: an admin prepares a second user, "checkout_clone"',
    text: `\
The new version names another user: the twin, which acts as "checkout" and has
its rights. The user that the application logs in as is left alone. When
AWSCURRENT moves, both passwords are valid: no login is refused.`,
  },
  back,
];

/** Multi-user where the original is the twin's role. */
export const twinHasRole: readonly Chapter[] = [
  {
    ...toTwin,
    title: 'Multi-user: an admin prepares a second user, "checkout_clone"',
    text: `\
The new version names another user: the twin, whose default role is "checkout".
So it has what "checkout" is granted, and is still a user of its own: what it
creates is its own. "checkout" itself is left alone. When AWSCURRENT moves, both
passwords are valid: no login is refused. (Single-user needs no second user, and
no admin; this is for servers and users that may not have two passwords.)`,
  },
  back,
];

/** Multi-user where the twin gets what the original has, at every rotation. @param what e.g. "its roles", up to 58 columns */
export const twinGets = (what: string): readonly Chapter[] => [
  {
    ...toTwin,
    title: 'Multi-user: an admin prepares a second user, "checkout_clone"',
    text: `\
The new version names another user: the twin. Whenever it is its turn it gets
what "checkout" has: ${what}.
The user that the application logs in as is left alone. When AWSCURRENT moves,
both passwords are valid: no login is refused.`,
  },
  back,
];

export const templateStory: Story = {
  subject: "an API key, then a password,",
  starts: "a key service",
  steps: `\
  createSecret   has a key issued or makes a password; stores it as AWSPENDING
  setSecret      gives the service the password; of a key it looks whose it is
  testSecret     uses it`,
  imitated: "Secrets Manager, Lambda and the service are imitated",
  server: "service",
  handlers: "the example key-service",
  folder: "packages/template/examples/key-service",
  application: "reads the secret, and asks the service for what it may do;",
  counted: `\
The tables below count, for each step, the function's calls of Secrets Manager
and its requests of the service (reqs), and the refused ones of the application.`,
  chapters: [
    {
      strategy: "single-user",
      window: "none",
      unit: "request",
      column: ["single-user", "API key"],
      title: 'Single-user: the key of "checkout" has another one issued',
      text: `\
The service issues keys, several of which are valid at a time. createSecret asks
for a new one; the one that the application reads stays valid until the next
rotation has finished: no request is refused.`,
    },
    {
      ...toTwin,
      unit: "request",
      title: 'Multi-user: an admin prepares a second user, "checkout_clone"',
      text: `\
Another secret of the same service: a user with one password. The new version
names another user, to whom the admin gives the same rights. When AWSCURRENT
moves, both passwords are valid: no request is refused.`,
    },
    { ...back, unit: "request" },
  ],
};

/** What somebody who sees it for the first time has to know. */
export function introduction({ subject, steps }: Story): string {
  return `
${styleText("bold", `Quarterturn: rotate ${subject} while an application runs`)}

AWS Secrets Manager keeps versions of a secret, and labels say what they are
for. Applications read the version ${name("AWSCURRENT")}. A rotation makes a new one,
${name("AWSPENDING")}, and moves AWSCURRENT to it; the one before becomes ${name("AWSPREVIOUS")}.
For this the service calls a function four times, once for each step:

${steps}
  finishSecret   moves AWSCURRENT to the new version (AWSPENDING may stay on it,
                 and then means nothing)`;
}

/** Who plays which part. */
export function cast(story: Story, { server, endpoint, functions, secrets }: Environment): string {
  const row = (part: string, text: string) => `  ${part.padEnd(16)}${text}`;
  const rotated = new Set([...functions.keys()].map((strategy) => secrets[strategy]));
  return `
What runs here (${story.imitated}):

${row(story.server, `${server.title} at ${server.host}:${server.port}`)}
${row("Secrets Manager", `the local Secrets Manager endpoint at ${endpoint.url}`)}
${row("function", `the handlers of ${story.handlers},`)}
${row("", "which AWS Lambda runs; here each in a process of its own")}
${[...rotated].map((secret) => row("secret", `${secret.name}: ${Object.keys(secret.value).join(", ")}`)).join("\n")}
${row("application", story.application)}
${row("", "again and again, without a pause and without a second try")}

${story.counted}`;
}

/** @param number of the chapter, from 1 */
export function chapterHeading({ chapters }: Story, { title, text }: Chapter, number: number): string {
  return `\n${styleText("bold", `${number} of ${chapters.length}  ${title}`)}\n\n${text}`;
}

export const nextSteps = ({ folder }: Story): string => `
What to do next
${nextStep("npm run local -- --help", "run the endpoint alone, for your own programs")}
${nextStep("npm run demo -- --help", "the same with another kind of server")}
${nextStep("npm test", "the tests, with real databases")}
${nextStep(folder, "the rotation functions that you have just seen")}
${nextStep("packages/core/src", "the four steps, whatever they rotate (runner.ts)")}`;

const NEXT_WIDTH = 26;

function nextStep(what: string, gives: string): string {
  const start = what.length < NEXT_WIDTH ? what.padEnd(NEXT_WIDTH) : `${what}\n  ${" ".repeat(NEXT_WIDTH)}`;
  return `  ${start}${gives}`;
}

const name = (label: string) => styleText("bold", label);
