import { RotationError } from "@quarterturn/core";
import type { EngineContext, Pair, PairState } from "@quarterturn/database";
import {
  type DefaultPrivilege,
  defaultPrivilegeQuery,
  defaultPrivilegeStatements,
  defaultPrivilegesOf,
  twinsDefaultPrivileges,
  wantedDefaultPrivileges,
} from "./default-privileges.ts";
import { passwordStatement } from "./password.ts";
import {
  maskQuery,
  originalsRights,
  ownedBy,
  ownerQueries,
  type Rights,
  rightQueries,
  rightStatements,
  rightsOf,
  twinsRights,
} from "./rights.ts";
import { identifier, preamble } from "./sql.ts";
import type { Connection, Row, Statement } from "./transport.ts";
import {
  createStatement,
  markGroup,
  markStatements,
  needsSuperuser,
  type User,
  type Users,
  userQueries,
  userStatements,
  usersOf,
} from "./user.ts";
import { unknownWord } from "./words.ts";

/** A pair whose original exists. */
type KnownUsers = Users & { readonly original: User };

/** All that is known of a pair. */
interface State {
  readonly users: KnownUsers;
  readonly original: Rights;
  readonly twin: Rights;
  readonly defaultPrivileges: readonly DefaultPrivilege[];
  /** The masking policies that are attached to either by name. */
  readonly masks: readonly Row[];
}

type IsOurs = () => Promise<boolean>;

/** What the pair's statements are run with. */
interface Admin {
  readonly connection: Connection;
  readonly address: string;
  readonly log: EngineContext["log"];
}

/** Makes the twin whole: by wire in one transaction, by Data API in as many as its forty statements ask for. */
export async function alignTwin(admin: Admin, pair: Pair, isOurs: IsOurs): Promise<void> {
  const { connection, address, log } = admin;
  const { original: name, twin } = pair;
  await again(admin, async () => {
    const state = await readState(admin, pair);
    const { users } = state;
    if (users.twin && !users.isMarked) await requireOurs(pair, address, isOurs);
    const fault = maskFault(state, pair, address);
    if (fault) throw fault;
    const attributes = userStatements(users.original, twin, users.twin);
    const changes = changesOf(state, pair);
    const all = Object.values(changes);
    const revocations = all.flatMap((each) => each.revocations);
    const statements = [
      ...(users.twin ? [] : [createStatement(twin, users.original.isSuperuser)]),
      ...(users.isMarked ? [] : markStatements(twin, users.hasMarkGroup)),
      ...attributes,
      ...revocations,
      ...all.toReversed().flatMap((each) => each.grants),
    ];
    if (statements.length > 0) await change(connection, statements, `making "${twin}" like "${name}"`);
    const by = { attributes: attributes.length, ...mapValues(changes) };
    log.info(users.twin ? "The twin follows its original" : "The twin was created", {
      server: address,
      user: twin,
      differences: Object.values(by).reduce((sum, differences) => sum + differences, 0),
      by,
    });
    if (revocations.length > 0) await warnOfRest(admin, pair);
  });
}

/** In the order of their revocations; grants go the other way, since default privileges in a schema ask for the right to create there. */
function changesOf({ original, twin, defaultPrivileges }: State, pair: Pair) {
  return {
    defaultPrivileges: defaultPrivilegeStatements(
      wantedDefaultPrivileges(defaultPrivileges, pair.original, pair.twin),
      twinsDefaultPrivileges(defaultPrivileges, pair.twin),
    ),
    rights: rightStatements(pair.twin, twinsRights(original, twin)),
    originalsRights: rightStatements(pair.original, originalsRights(original, twin)),
  };
}

const mapValues = (changes: ReturnType<typeof changesOf>) =>
  Object.fromEntries(Object.entries(changes).map(([kind, { differences }]) => [kind, differences]));

/** REVOKE takes what the owner gave, and leaves what somebody else did who may grant it. */
async function warnOfRest(admin: Admin, pair: Pair): Promise<void> {
  const rest = Object.values(changesOf(await readState(admin, pair), pair)).flatMap(({ revocations }) => revocations);
  if (rest.length === 0) return;
  admin.log.warn("The twin has more than its original: a third user gave it, and has to take it", {
    server: admin.address,
    user: pair.twin,
    statements: rest.slice(0, 20),
  });
}

/** A masking policy that is attached to the original alone would show the twin what it hides. */
function maskFault({ masks }: Pick<State, "masks">, pair: Pair, address: string): RotationError | undefined {
  const textOf = ({ policy_name, schema_name, table_name, output_columns }: Row) =>
    JSON.stringify([policy_name, schema_name, table_name, output_columns]);
  const twins = new Set(masks.filter(({ grantee }) => grantee === pair.twin).map(textOf));
  const missing = masks.find((mask) => mask.grantee === pair.original && !twins.has(textOf(mask)));
  if (!missing) return undefined;
  const { policy_name: policy, schema_name: schema, table_name: table } = missing;
  return new RotationError(
    "unsupported",
    `${address}: the masking policy "${policy}" on ${schema}.${table} is attached to "${pair.original}" and not to "${pair.twin}", who would see what it hides`,
    `This try changed nothing. Attach it to a role that both users have; or, where "${pair.twin}" exists, attach it to that user too (ATTACH MASKING POLICY ... TO ${identifier(pair.twin)}).`,
  );
}

/** Sets the password of the pair's pending user; the original also gets what the twin has made. */
export async function setPassword(admin: Admin, pair: Pair, password: string, isOurs: IsOurs): Promise<void> {
  const { connection, address, log } = admin;
  const doing = `setting the password of "${pair[pair.pending]}"`;
  await again(admin, async () => {
    if (pair.pending === "twin") {
      const users = requireOriginal(await readUsers(connection, pair), pair, address);
      if (!users.twin || !users.isMarked) throw noTwin(pair, address);
      await change(connection, [passwordStatement(pair.twin, password, users.original.validUntil)], doing);
      return;
    }
    const { users, ...state } = await readState(admin, pair);
    if (!users.twin) throw noTwin(pair, address);
    if (!users.isMarked) await requireOurs(pair, address, isOurs);
    const rights = rightStatements(pair.original, originalsRights(state.original, state.twin));
    const mark = users.isMarked ? [] : markStatements(pair.twin, users.hasMarkGroup);
    await change(connection, [...mark, ...rights.grants, passwordStatement(pair.original, password)], doing);
    log.info("The original may use what the twin owns", {
      server: address,
      user: pair.original,
      differences: rights.differences,
    });
  });
}

/** How a pair stands. @throws RotationError `privilege` for an admin that is no superuser */
export async function inspectPair(admin: Admin, pair: Pair): Promise<PairState> {
  const { connection, address } = admin;
  const names = { original: pair.original, twin: pair.twin };
  const { twin, isMarked } = requireOriginal(await readUsers(connection, pair), pair, address);
  const answers = await connection.run([...preamble, ...ownerQueries(names), maskQuery(names)]);
  const known = answers.slice(preamble.length).map((rows) => rows.filter((row) => unknownWord(row) === undefined));
  const twinFault = maskFault({ masks: known.at(-1) ?? [] }, pair, address);
  return {
    admin: "able",
    twin: !twin ? "none" : isMarked ? "known" : "unproven",
    twinDefines: [
      ...new Set(
        ownedBy(known.slice(0, -1), pair.twin).map(
          ({ on, object }) => `${on.replace(/^ON /, "").toLowerCase()} ${object}`,
        ),
      ),
    ],
    ...(twinFault && { twinFault }),
  };
}

async function readUsers(connection: Connection, pair: Pair): Promise<Users> {
  const names = { original: pair.original, twin: pair.twin };
  const queries = [...preamble, ...userQueries(names, connection.user)];
  const answers = await connection.run(queries);
  return usersOf(answers.slice(preamble.length), names, connection.user);
}

async function readState({ connection, address, log }: Admin, pair: Pair): Promise<State> {
  const names = { original: pair.original, twin: pair.twin };
  const users = userQueries(names, connection.user);
  const rights = rightQueries(names);
  const rest = [defaultPrivilegeQuery(names), maskQuery(names)];
  const rows = await connection.run([...preamble, ...users, ...rights, ...rest]);
  const answers = rows.map((each) => each.filter((row) => unknownWord(row) === undefined));
  const unknown = new Set(rows.flat().flatMap((row) => unknownWord(row) ?? []));
  if (unknown.size > 0) {
    log.warn("The catalogue has words that are not known here: the rights that it tells with them stay as they are", {
      server: address,
      words: [...unknown],
    });
  }
  const ofUsers = answers.slice(preamble.length, preamble.length + users.length);
  const ofRights = answers.slice(preamble.length + users.length, -rest.length);
  const [defaultPrivileges = [], masks = []] = answers.slice(-rest.length);
  return {
    users: requireOriginal(usersOf(ofUsers, names, connection.user), pair, address),
    original: rightsOf(ofRights, pair.original),
    twin: rightsOf(ofRights, pair.twin),
    defaultPrivileges: defaultPrivilegesOf(defaultPrivileges, [pair.original, pair.twin]),
    masks,
  };
}

/** Runs statements that change something; what is wrong with one is said with its text, which holds names and no password. */
async function change(connection: Connection, statements: readonly string[], doing: string): Promise<void> {
  await connection.run([
    ...preamble,
    ...statements.map(
      (sql): Statement => ({ sql, doing: describes(sql) ? `${doing} (${sql})` : doing, remedy: needsSuperuser }),
    ),
  ]);
}

const describes = (sql: string) => !/ PASSWORD | SET /.test(sql) && sql.length < 500;

/** Does the work anew where another session changed the same rows of the catalogue at the same moment; all of it is idempotent. */
async function again({ address, log }: Admin, work: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await work();
      return;
    } catch (error) {
      if (!(error instanceof RotationError) || error.code !== "database") throw error;
      if (/dependent privileges/i.test(error.what)) throw passedOn(error);
      if (attempt === 3 || !isConcurrent.test(error.what)) throw error;
      log.warn("Another session changed the same at the same moment; it is done anew", {
        server: address,
        reason: error.what,
      });
    }
  }
}

const isConcurrent = /concurrent|serializ|deadlock|already exists|does not exist|duplicate key/i;

const passedOn = (error: RotationError) =>
  new RotationError(
    "privilege",
    error.what,
    "The twin has passed on to others a right that it is to lose. Log in as the twin and revoke it from them (SVV_RELATION_PRIVILEGES and its neighbours list who has it); grant it to them anew as an admin; then rotate again.",
    { cause: error },
  );

/** @throws RotationError `privilege` for an admin to whom the catalogue does not show everything, `wrong-target` where there is no original */
function requireOriginal(users: Users, pair: Pair, address: string): KnownUsers {
  if (!users.isAdminSuperuser) {
    throw new RotationError(
      "privilege",
      `${address}: the admin is not a superuser`,
      `This try changed nothing. ${needsSuperuser}`,
    );
  }
  if (users.original) return { ...users, original: users.original };
  throw new RotationError(
    "wrong-target",
    `${address} has no user "${pair.original}", whose twin "${pair.twin}" would be`,
    "This try changed nothing. Create it, or use the single-user strategy for this user.",
  );
}

/** A user that merely has the twin's name is somebody else's. One that AWS's function made has no mark: then the secret itself proves it. */
async function requireOurs(pair: Pair, address: string, isOurs: IsOurs): Promise<void> {
  if (await isOurs()) return;
  throw new RotationError(
    "wrong-target",
    `${address} has a user "${pair.twin}" that is not known to be the twin of "${pair.original}", and AWSPREVIOUS does not log in as the pending user`,
    `This try changed nothing. If the two are this secret's users, run as a superuser: CREATE GROUP ${markGroup}; (unless it exists) ALTER GROUP ${markGroup} ADD USER ${identifier(pair.twin)}; otherwise rename one of the two.`,
  );
}

function noTwin(pair: Pair, address: string): RotationError {
  return new RotationError(
    "wrong-target",
    `${address} has no user "${pair.twin}" that is the twin of "${pair.original}"`,
    "This try changed nothing. Put the original's user and password into the secret, and rotate again.",
  );
}
