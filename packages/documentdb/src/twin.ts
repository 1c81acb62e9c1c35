import { randomBytes } from "node:crypto";
import { RotationError } from "@quarterturn/core";
import { addressOf, type EngineContext, type Login, type Pair } from "@quarterturn/database";
import type { Document } from "bson";
import { authSourceOf } from "./authentication.ts";
import type { Run } from "./connection.ts";
import { errorCode, userExists } from "./errors.ts";
import { isAlike, passwordFor, readUser, type User } from "./users.ts";

/** Whether AWSPREVIOUS of the secret logs in as the pending user: who has its password may have it changed. */
export type IsOurs = () => Promise<boolean>;

/**
 * Makes the twin like the original, whose roles and customData it gets, and no others. A new one is made whole by one command, with a
 * password that nobody knows.
 */
export async function alignTwin(
  run: Run,
  pair: Pair,
  isOurs: IsOurs,
  admin: Login,
  { log }: EngineContext,
): Promise<void> {
  const database = authSourceOf(pair);
  const { original, twin } = await readPair(run, pair, admin);
  const { roles } = original;
  const wanted = { roles, customData: marked(original) };
  const found = twin ?? (await create());
  if (!found) return;
  await requireMark(original, found, isOurs, database, admin);
  if (isAlike(found, wanted)) return;
  await run(
    database,
    { updateUser: found.name, ...wanted },
    `giving "${found.name}" of ${database} the original's roles`,
    remedy(admin, database),
  );
  log.info("The twin got the original's roles and data anew", {
    user: found.name,
    roles: roles.map(({ db, role }) => `${role}@${db}`),
  });

  /** @returns the user that another try made at the same time */
  async function create(): Promise<User | undefined> {
    try {
      const pwd = randomBytes(24).toString("base64url");
      await run(
        database,
        { createUser: pair.twin, ...passwordFor(original, pwd), ...wanted },
        `creating the user "${pair.twin}" of ${database}`,
        remedy(admin, database),
      );
      return undefined;
    } catch (error) {
      if (errorCode(error) !== userExists) throw error;
      return readUser(run, database, pair.twin);
    }
  }
}

/** Sets the pending user's password, for the mechanisms that the original has. */
export async function setPassword(run: Run, pair: Pair, password: string, isOurs: IsOurs, admin: Login): Promise<void> {
  const database = authSourceOf(pair);
  const { original, twin } = await readPair(run, pair, admin);
  if (!twin) {
    throw new RotationError(
      "wrong-target",
      `${addressOf(admin)} has no user "${pair.twin}" in ${database} that is the twin of "${pair.original}"`,
      "This try changed nothing. Put the original's user and password into the secret, and rotate again.",
    );
  }
  await requireMark(original, twin, isOurs, database, admin);
  const name = pair[pair.pending];
  await run(
    database,
    { updateUser: name, ...passwordFor(original, password) },
    `setting the password of "${name}" of ${database}`,
    remedy(admin, database),
  );
}

async function readPair(run: Run, pair: Pair, admin: Login): Promise<{ original: User; twin: User | undefined }> {
  const database = authSourceOf(pair);
  const original = await readUser(run, database, pair.original, remedy(admin, database));
  if (original) return { original, twin: await readUser(run, database, pair.twin) };
  throw new RotationError(
    "wrong-target",
    `${addressOf(admin)} has no user "${pair.original}" in ${database}, whose twin "${pair.twin}" would be`,
    "This try changed nothing. Create it, correct the secret's authSource, or use the single-user strategy for this user.",
  );
}

/** The original's own data, and whose twin this is. */
function marked({ name, customData }: User): Document {
  return { ...customData, [markKey]: { twinOf: name } };
}

const markKey = "quarterturn";

/**
 * A user that merely has the twin's name is somebody else's, and must be neither changed nor believed. A twin of AWS's functions bears no mark:
 * then the secret itself proves that the other user is its own.
 */
async function requireMark(original: User, twin: User, isOurs: IsOurs, database: string, admin: Login): Promise<void> {
  if (twin.customData[markKey]?.twinOf === original.name || (await isOurs())) return;
  const statement = { updateUser: twin.name, customData: { ...twin.customData, [markKey]: { twinOf: original.name } } };
  throw new RotationError(
    "wrong-target",
    `${addressOf(admin)} has a user "${twin.name}" in ${database} that is not known to be the twin of "${original.name}", and AWSPREVIOUS does not log in as the pending user`,
    `This try changed nothing. If the two are this secret's users, run as an admin: db.getSiblingDB(${JSON.stringify(database)}).runCommand(${JSON.stringify(statement)}); otherwise rename one of the two.`,
  );
}

function remedy({ username, ...admin }: Login, database: string): string {
  const grant = { grantRolesToUser: username, roles: [{ role: "userAdminAnyDatabase", db: "admin" }] };
  return `Run as a user who may: db.getSiblingDB(${JSON.stringify(authSourceOf(admin))}).runCommand(${JSON.stringify(grant)}); (or userAdmin of ${database}, and of every database that the user has roles of)`;
}
