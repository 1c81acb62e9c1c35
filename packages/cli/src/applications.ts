import type { Manifest, Strategy } from "@quarterturn/core";
import { products } from "./engines.ts";

/** An application of the Serverless Application Repository, and the package that its function is of. */
export interface Application {
  /** e.g. `quarterturn-rds-postgres-single-user` */
  readonly name: string;
  readonly package: string;
  readonly strategy: Strategy;
  /** The product's name for people. */
  readonly rotates: string;
  /** Values of the secret's `engine` that mean it; none where the function is one's own. */
  readonly engines: readonly string[];
}

const strategies: readonly Strategy[] = ["single-user", "multi-user"];

type Described = Pick<Manifest, "name" | "title" | "engines">;

/** The applications' example of a service: whoever deploys it puts a function of their own in its place. */
const template: Described = { name: "template", title: "a service of your own", engines: [] };

/** All that can be deployed. */
export const applications: readonly Application[] = [...products.map(({ manifest }) => manifest), template].flatMap(
  ({ name, title, engines }: Described) =>
    strategies.map((strategy) => ({
      name: `quarterturn-${name}-${strategy}`,
      package: `@quarterturn/${name}`,
      strategy,
      rotates: title,
      engines,
    })),
);

/** How the descriptions of the applications' functions begin; people may give their functions any name. */
const beginnings: readonly (readonly [text: RegExp, strategy: Strategy])[] = [
  [/^Rotates the password of a (.+) user whose secret is in AWS Secrets Manager: the user /, "single-user"],
  [/^Rotates the password of a (.+) user whose secret is in AWS Secrets Manager: an admin /, "multi-user"],
];

/** The application that a deployed function is of, by its description; undefined where it is of none that rotates databases. */
export function applicationOf(description: string): Application | undefined {
  for (const [text, strategy] of beginnings) {
    const [, title] = text.exec(description) ?? [];
    const found = applications.find((each) => each.rotates === title && each.strategy === strategy);
    if (found) return found;
  }
  return undefined;
}
