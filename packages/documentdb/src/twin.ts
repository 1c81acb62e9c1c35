import { createHmac } from "node:crypto";
import { RotationError } from "@quarterturn/core";
import { addressOf, type EngineContext, type Login, type Pair, type PairState } from "@quarterturn/database";
import type { Document } from "bson";
import { authSourceOf } from "./authentication.ts";
import type { Run } from "./connection.ts";
import { errorCode, userExists } from "./errors.ts";
import { isAlike, passwordFor, readUser, type User, writeUser } from "./users.ts";

/** What shows whose a user is that bears no mark: who has its password may have it changed. */
export interface Proof {
  /** Whether a password of the secret logs in as the pending user. */
  isOurs(): Promise<boolean>;
  isAccepted(login: Pick<Login, "username" | "password" | "userKeys">): Promise<boolean>;
}

/**
 * Makes the twin like the original, whose roles and customData it gets, and no others. A new one is made whole by one command, with a
 * password that only who knows the admin's could work out.
 */
export async function alignTwin(
  run: Run,
  pair: Pair,
  proof: Proof,
  admin: Login,
  { log }: EngineContext,
): Promise<void> {
  const database = authSourceOf(pair);
  const { original, twin } = await readPair(run, pair, admin);
  const { roles } = original;
  const wanted = { roles, customData: marked(original) };
  const found = twin ?? (await create());
  if (!found) return;
  await requireMark(original, found, proof, pair, admin);
  if (isAlike(found, wanted)) return;
  await write({ updateUser: found.name, ...wanted }, `giving "${found.name}" of ${database} the original's roles`);
  log.info("The twin got the original's roles and data anew", {
    user: found.name,
    roles: roles.map(({ db, role }) => `${role}@${db}`),
  });

  /** @returns the user that another try made at the same time */
  async function create(): Promise<User | undefined> {
    try {
      const password = passwordFor(original, firstPassword(pair, admin));
      await write({ createUser: pair.twin, ...password, ...wanted }, `creating the user "${pair.twin}" of ${database}`);
      return undefined;
    } catch (error) {
      if (errorCode(error) !== userExists) throw error;
      return readUser(run, database, pair.twin);
    }
  }

  /** A server that has no customData has none to copy either, and the twin goes without the mark. */
  function write(command: Document, doing: string): Promise<void> {
    return writeUser(run, log, database, command, doing, remedy(admin, database));
  }
}

/** Sets the pending user's password, for the mechanisms that the original has. */
export async function setPassword(
  run: Run,
  pair: Pair,
  password: string,
  proof: Proof,
  admin: Login,
  { log }: EngineContext,
): Promise<void> {
  const database = authSourceOf(pair);
  const { original, twin } = await readPair(run, pair, admin);
  if (!twin) {
    throw new RotationError(
      "wrong-target",
      `${addressOf(admin)} has no user "${pair.twin}" in ${database} that is the twin of "${pair.original}"`,
      "This try changed nothing. Put the original's user and password into the secret, and rotate again.",
    );
  }
  await requireMark(original, twin, proof, pair, admin);
  const name = pair[pair.pending];
  await writeUser(
    run,
    log,
    database,
    { updateUser: name, ...passwordFor(original, password) },
    `setting the password of "${name}" of ${database}`,
    remedy(admin, database),
  );
}

/** Gives a user the password that a secret says it has. */
export async function restorePassword(
  run: Run,
  { username, userKeys }: Pick<Login, "username" | "userKeys">,
  password: string,
  admin: Login,
  { log }: EngineContext,
): Promise<void> {
  const database = authSourceOf({ userKeys });
  const user = await readUser(run, database, username, remedy(admin, database));
  if (!user) {
    throw new RotationError(
      "wrong-target",
      `${addressOf(admin)} has no user "${username}" in ${database}`,
      "This try changed nothing. Create it, or correct the secret.",
    );
  }
  const command = { updateUser: username, ...passwordFor(user, password) };
  await writeUser(
    run,
    log,
    database,
    command,
    `setting the password of "${username}" of ${database}`,
    remedy(admin, database),
  );
}

/** How a pair stands. No command of the protocol that every server knows says whether the admin may change users, and no user owns anything. */
export async function inspectPair(run: Run, pair: Pair, admin: Login): Promise<PairState> {
  const { original, twin } = await readPair(run, pair, admin);
  return {
    admin: "unproven",
    twin: !twin ? "none" : isMarked(twin, original) ? "known" : "unproven",
    twinDefines: [],
  };
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

const isMarked = (twin: User, original: User) => twin.customData[markKey]?.twinOf === original.name;

/**
 * A user that merely has the twin's name is somebody else's, and must be neither changed nor believed. A twin of AWS's functions, or on a server
 * without customData, bears no mark: then a password proves that it is this secret's, or that an earlier try has just made it.
 */
async function requireMark(original: User, twin: User, proof: Proof, pair: Pair, admin: Login): Promise<void> {
  if (isMarked(twin, original)) return;
  // In the order in which a twin gets its passwords, since another try may be giving it the next one.
  const { userKeys } = pair;
  if (await proof.isAccepted({ username: twin.name, password: firstPassword(pair, admin), userKeys })) return;
  if (await proof.isOurs()) return;
  const database = authSourceOf(pair);
  const command = (document: Document) =>
    `db.getSiblingDB(${JSON.stringify(database)}).runCommand(${JSON.stringify(document)})`;
  const customData = { ...twin.customData, [markKey]: { twinOf: original.name } };
  const mark = command({ updateUser: twin.name, customData });
  // Only a pending twin may be dropped: the other one is AWSCURRENT's user.
  const advice =
    pair.pending === "twin"
      ? `If nobody uses it, as one that an abandoned rotation has made, drop it, and the next try makes it anew: ${command({ dropUser: twin.name })}. If it is in use as the twin, mark it as an admin: ${mark} (on a server without customData, give it AWSPREVIOUS's password). If it is somebody else's, use the single-user strategy for "${original.name}".`
      : `If the two are this secret's users, mark the twin as an admin: ${mark} (on a server without customData, put the original's user and password into the secret, and rotate again).`;
  throw new RotationError(
    "wrong-target",
    `${addressOf(admin)} has a user "${twin.name}" in ${database} that is not known to be the twin of "${original.name}", and AWSPREVIOUS does not log in as the pending user`,
    `This try changed nothing. ${advice}`,
  );
}

/** Of a twin that is made and not yet whole. The same in every try, so that a retry knows what it has made. */
function firstPassword(pair: Pair, admin: Login): string {
  return createHmac("sha256", admin.password)
    .update(JSON.stringify(["first password", authSourceOf(pair), pair.twin]))
    .digest("base64url");
}

function remedy({ username, ...admin }: Login, database: string): string {
  const grant = { grantRolesToUser: username, roles: [{ role: "userAdminAnyDatabase", db: "admin" }] };
  return `Run as a user who may: db.getSiblingDB(${JSON.stringify(authSourceOf(admin))}).runCommand(${JSON.stringify(grant)}); (or userAdmin of ${database}, and of every database that the user has roles of)`;
}
