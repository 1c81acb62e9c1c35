import * as v from "valibot";
import { listEntryOf } from "./answers.ts";
import { invalidNextToken } from "./errors.ts";
import type { Input } from "./input.ts";
import type { Service } from "./service.ts";
import type { Secret } from "./state.ts";

type Filters = NonNullable<Input<"ListSecrets">["Filters"]>;

/** What a listing is ordered by; the second part is unique, so that a page never repeats or skips an item. */
type SortKey = readonly [number | string, string];

export function listSecrets(service: Service, input: Input<"ListSecrets">) {
  const secrets = service.state.secrets.filter(
    (secret) =>
      (secret.deletesAt === undefined || input.IncludePlannedDeletion === true) &&
      matchesFilters(secret, service.region, input.Filters ?? []),
  );
  const sortKey = sortKeys[input.SortBy ?? "created-date"];
  const { items, nextToken } = page(
    secrets,
    (secret) => [sortKey(secret), secret.arn],
    input.MaxResults ?? 100,
    input.NextToken,
    input.SortOrder,
  );
  return { SecretList: items.map(listEntryOf), NextToken: nextToken };
}

/**
 * Every filter must match; of a filter's values one suffices, and `!` before a value negates it
 * (https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_Filter.html).
 */
export function matchesFilters(secret: Secret, region: string, filters: Filters): boolean {
  return filters.every(({ Key, Values }) =>
    Values.some((value) =>
      value.startsWith("!") ? !matches(secret, region, Key, value.slice(1)) : matches(secret, region, Key, value),
    ),
  );
}

/**
 * One page in order. A page starts after the last item of the one before, even if that item is gone by now.
 * @throws InvalidNextTokenException
 */
export function page<Item>(
  items: readonly Item[],
  keyOf: (item: Item) => SortKey,
  size: number,
  nextToken: string | undefined,
  order: "asc" | "desc" = "asc",
): { items: Item[]; nextToken: string | undefined } {
  const direction = order === "asc" ? 1 : -1;
  const after = nextToken === undefined ? undefined : readToken(nextToken);
  const remaining = items
    .filter((item) => after === undefined || compare(keyOf(item), after) * direction > 0)
    .sort((a, b) => compare(keyOf(a), keyOf(b)) * direction);
  const shown = remaining.slice(0, size);
  const last = shown.at(-1);
  return { items: shown, nextToken: last && remaining.length > size ? writeToken(keyOf(last)) : undefined };
}

const sortKeys = {
  "created-date": (secret: Secret) => secret.createdAt,
  "last-accessed-date": (secret: Secret) => secret.accessedAt ?? 0,
  "last-changed-date": (secret: Secret) => secret.changedAt,
  name: (secret: Secret) => secret.name,
};

function matches(secret: Secret, region: string, key: Filters[number]["Key"], value: string): boolean {
  const fields = searchable(secret, region);
  if (key === "description") return fields.description.some((text) => startsWithIgnoringCase(text, value));
  if (key !== "all") return fields[key].some((text) => text.startsWith(value));
  const everything = Object.values(fields).flat().join(" ").toLowerCase();
  return value
    .toLowerCase()
    .split(/\s+/)
    .every((word) => everything.includes(word));
}

const searchable = (secret: Secret, region: string) => ({
  name: [secret.name],
  description: secret.description === undefined ? [] : [secret.description],
  "tag-key": (secret.tags ?? []).map(({ Key }) => Key),
  "tag-value": (secret.tags ?? []).map(({ Value }) => Value),
  "primary-region": secret.replicas.length > 0 ? [region] : [],
  // Nothing here is owned by another service.
  "owning-service": [] as string[],
});

const startsWithIgnoringCase = (text: string, start: string) => text.toLowerCase().startsWith(start.toLowerCase());

const tokenSchema = v.tuple([v.union([v.number(), v.string()]), v.string()]);

const writeToken = (key: SortKey) => Buffer.from(JSON.stringify(key)).toString("base64url");

function readToken(token: string): SortKey {
  try {
    return v.parse(tokenSchema, JSON.parse(Buffer.from(token, "base64url").toString()));
  } catch (error) {
    if (error instanceof SyntaxError || v.isValiError(error)) throw invalidNextToken();
    throw error;
  }
}

const compare = (a: SortKey, b: SortKey) => compareParts(a[0], b[0]) || compareParts(a[1], b[1]);

function compareParts(a: number | string, b: number | string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
