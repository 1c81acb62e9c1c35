import { paginateListSecrets } from "@aws-sdk/client-secrets-manager";
import { InvalidArgumentError } from "commander";
import pLimit from "p-limit";
import { ask } from "../aws.ts";
import type { Register } from "../command.ts";
import type { Context } from "../context.ts";
import { asFailure, Failure } from "../failure.ts";
import type { Outcome } from "../output.ts";
import { bar, startProgress } from "../progress.ts";
import { describe, type Secret } from "../secret.ts";
import { byUrgency, isOverdue, secretBlock, secretTable, sinceOf } from "../secret-report.ts";

interface Flags {
  readonly all?: boolean;
  readonly tag?: readonly Tag[];
}

interface Tag {
  readonly key: string;
  readonly value: string;
}

export const registerStatus: Register = (program, act) =>
  program
    .command("status [SECRET...]")
    .description("In which state rotations are, the overdue ones first.")
    .option("--all", "every secret of the Region")
    .option("--tag <KEY=VALUE>", "every secret with this tag; repeated: with all of them", readTag)
    .action(act(status));

function readTag(text: string, sofar: readonly Tag[] = []): readonly Tag[] {
  const [, key, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (key === undefined || value === undefined) throw new InvalidArgumentError("It is KEY=VALUE");
  return [...sofar, { key, value }];
}

async function status(context: Context, named: readonly string[], { all, tag }: Flags): Promise<Outcome> {
  const isListing = all === true || tag !== undefined;
  if (isListing === named.length > 0)
    throw new Failure(
      "usage",
      isListing
        ? `${all ? "--all" : "--tag"} lists secrets by itself, so no name goes with it`
        : "status takes names or ARNs of secrets, or --all, or --tag",
      "See quarterturn status --help.",
    );
  using progress = startProgress(context.io, "Listing secrets");
  const ids = isListing ? await list(context, tag ?? []) : named;
  const { found, failures } = await describeAll(context, ids, (done) => progress.show(bar(done, ids.length)));
  const now = context.io.now();
  const secrets = found.map((secret) => ({ ...secret, overdue: isOverdue(secret, now) })).sort(byUrgency);
  const first = failures[0];
  if (first && !isListing && found.length === 0)
    throw failures.length === 1 ? first : severalOf(failures, first, ids.length);
  return {
    data: { secrets: secrets.map(dataOf) },
    text: (paint) =>
      isListing
        ? secretTable(secrets, now, paint, context.io.stdout.columns ?? Number.POSITIVE_INFINITY)
        : secrets.map((each) => secretBlock(each, context, paint)).join("\n\n"),
    ...(first && { failure: failures.length === 1 ? first : severalOf(failures, first, ids.length) }),
  };
}

/** Every key is there in every case. */
const dataOf = (secret: Secret & { readonly overdue: boolean }) => ({
  name: secret.name,
  arn: secret.arn,
  state: secret.state,
  overdue: secret.overdue,
  since: sinceOf(secret) ?? null,
  lastRotated: secret.lastRotated ?? null,
  nextRotation: secret.nextRotation ?? null,
  deleted: secret.deleted ?? null,
  rotationEnabled: secret.rotationEnabled ?? null,
  functionArn: secret.functionArn ?? null,
  schedule: secret.schedule
    ? {
        automaticallyAfterDays: secret.schedule.automaticallyAfterDays ?? null,
        expression: secret.schedule.expression ?? null,
        duration: secret.schedule.duration ?? null,
      }
    : null,
  versions: secret.versions,
});

const severalOf = (failures: readonly Failure[], first: Failure, all: number) =>
  new Failure(
    first.ending,
    `${failures.length} of ${all} secrets could not be described; the first: ${first.message.replace(/\.$/, "")}`,
  );

/** The ARNs of all secrets, or of those with the tags. What the list itself says may be minutes old. */
async function list(context: Context, tags: readonly Tag[]): Promise<string[]> {
  // The service's filters match beginnings, and any key with any value.
  const Filters = tags.flatMap(({ key, value }) => [
    { Key: "tag-key" as const, Values: [key] },
    ...(value === "" ? [] : [{ Key: "tag-value" as const, Values: [value] }]),
  ]);
  const pages = paginateListSecrets(
    { client: context.secretsManager, pageSize: 100 },
    tags.length > 0 ? { Filters } : {},
  );
  const arns: string[] = [];
  for (;;) {
    const { value: page, done } = await ask(context, undefined, () => pages.next());
    if (done) return arns;
    for (const { ARN = "", Tags = [] } of page.SecretList ?? [])
      if (tags.every((tag) => Tags.some(({ Key, Value }) => Key === tag.key && Value === tag.value))) arns.push(ARN);
  }
}

const CONCURRENCY = 20;

async function describeAll(
  context: Context,
  ids: readonly string[],
  onProgress: (done: number) => void,
): Promise<{ found: Secret[]; failures: Failure[] }> {
  const limit = pLimit(CONCURRENCY);
  const failures: Failure[] = [];
  let done = 0;
  const described = await limit.map(ids, async (id) => {
    try {
      return await describe(context, id);
    } catch (error) {
      context.io.signal.throwIfAborted();
      failures.push(asFailure(error));
      return undefined;
    } finally {
      onProgress(++done);
    }
  });
  return { found: described.filter((each) => each !== undefined), failures };
}
