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
