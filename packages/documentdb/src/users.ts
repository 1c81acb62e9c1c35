import { type Document, serialize } from "bson";
import type { Run } from "./connection.ts";
import { mechanisms } from "./scram.ts";

/** A user, as far as a twin must be like it. */
export interface User {
  readonly name: string;
  /** Of its own: `role` and `db`. */
  readonly roles: readonly Document[];
  readonly customData: Document;
  /** Those of passwords; undefined where the server does not say, as DocumentDB before 5.0. */
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
    mechanisms: ofPasswords.length === 0 ? undefined : ofPasswords,
  };
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
