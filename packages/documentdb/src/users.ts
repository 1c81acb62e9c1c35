import type { Log } from "@quarterturn/core";
import { type Document, serialize } from "bson";
import type { Run } from "./connection.ts";
import { isRefusedForm } from "./errors.ts";
import { mechanisms } from "./scram.ts";

/** A user, as far as a twin must be like it. */
export interface User {
  readonly name: string;
  /** Of its own: `role` and `db`. */
  readonly roles: readonly Document[];
  readonly customData: Document;
  /** Those of passwords; undefined where it has all of them, as a server gives it by itself, or where the server does not say. */
  readonly mechanisms: readonly string[] | undefined;
}

/** A user of a database; undefined where it has none of that name. */
export async function readUser(run: Run, database: string, name: string, remedy?: string): Promise<User | undefined> {
  const { users } = await run(database, { usersInfo: name }, `reading the user "${name}" of ${database}`, remedy);
  const [user]: readonly Document[] = users;
  if (!user) return undefined;
  const ofPasswords = mechanisms.filter((each) => user.mechanisms?.includes(each));
  return {
    name,
    roles: user.roles ?? [],
    customData: user.customData ?? {},
    mechanisms: [0, mechanisms.length].includes(ofPasswords.length) ? undefined : ofPasswords,
  };
}

/**
 * Runs a createUser or an updateUser; once more without customData and mechanisms where the server refuses it with them. Not every server
 * takes these fields, and what it says then is its own; such a command does all or nothing.
 */
export async function writeUser(
  run: Run,
  log: Log,
  database: string,
  command: Document,
  doing: string,
  remedy: string,
): Promise<void> {
  const { customData, mechanisms, ...rest } = command;
  try {
    await run(database, command, doing, remedy);
  } catch (error) {
    if (!(customData || mechanisms) || !isRefusedForm(error)) throw error;
    log.debug("Once more without customData and mechanisms", { reason: error.what });
    await run(database, rest, doing, remedy);
  }
}

/** A password as a part of a command: only for the mechanisms that the user has, since a server would give it all that it knows. */
export function passwordFor(user: Pick<User, "mechanisms"> | undefined, password: string): Document {
  return { pwd: password, ...(user?.mechanisms ? { mechanisms: user.mechanisms } : {}) };
}

/** Whether two users have the same roles, in any order, and the same data, byte for byte. */
export function isAlike(a: Pick<User, "roles" | "customData">, b: Pick<User, "roles" | "customData">): boolean {
  const namesOf = ({ roles }: Pick<User, "roles">) =>
    roles
      .map(({ db, role }) => JSON.stringify([db, role]))
      .sort()
      .join();
  return namesOf(a) === namesOf(b) && Buffer.compare(serialize(a.customData), serialize(b.customData)) === 0;
}
