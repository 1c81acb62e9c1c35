/** Names of services in IAM's actions, where the SDK's packages have others. */
const services: Readonly<Record<string, string>> = {
  "secrets-manager": "secretsmanager",
  serverlessapplicationrepository: "serverlessrepo",
};

/**
 * The calls of AWS that sources make, as IAM names them (`rds:DescribeDBInstances`): of what they import from the SDK's clients, the commands
 * and the paginators. Sorted, each once.
 *
 * @param sources texts of TypeScript files
 */
export function calledActions(sources: readonly string[]): readonly string[] {
  const actions = new Set<string>();
  for (const code of sources) {
    for (const [, names = "", client = ""] of code.matchAll(/import \{([^}]*)\} from "@aws-sdk\/client-([\w-]+)"/g)) {
      for (const [, command, paginated] of names.matchAll(/\b(?:(\w+)Command\b|paginate(\w+))/g))
        actions.add(`${services[client] ?? client}:${command ?? paginated}`);
    }
  }
  return [...actions].sort();
}
