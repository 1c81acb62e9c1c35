import { RotationError } from "@quarterturn/core";
import type { EngineContext, Pair } from "@quarterturn/database";
import {
  type DefaultPrivilege,
  defaultPrivilegeQuery,
  defaultPrivilegeStatements,
  defaultPrivilegesOf,
  twinsDefaultPrivileges,
  wantedDefaultPrivileges,
} from "./default-privileges.ts";
import { passwordStatement } from "./password.ts";
import { originalsRights, type Rights, rightQueries, rightStatements, rightsOf, twinsRights } from "./rights.ts";
import { identifier, preamble } from "./sql.ts";
import type { Connection, Statement } from "./transport.ts";
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
}

type IsOurs = () => Promise<boolean>;

/** What the pair's statements are run with. */
interface Admin {
  readonly connection: Connection;
  readonly address: string;
  readonly log: EngineContext["log"];
}

/** Makes the twin whole, in one transaction. */
export async function alignTwin(admin: Admin, pair: Pair, isOurs: IsOurs): Promise<void> {
  const { connection, address, log } = admin;
  const { original: name, twin } = pair;
  await again(async () => {
    const { users, ...state } = await readState(admin, pair);
    if (users.twin && !users.isMarked) await requireOurs(pair, address, isOurs);
    const attributes = userStatements(users.original, twin, users.twin);
    const changes = {
      attributes: { statements: attributes, differences: attributes.length },
      rights: rightStatements(twin, twinsRights(state.original, state.twin)),
      originalsRights: rightStatements(name, originalsRights(state.original, state.twin)),
      defaultPrivileges: defaultPrivilegeStatements(
        wantedDefaultPrivileges(state.defaultPrivileges, name, twin),
        twinsDefaultPrivileges(state.defaultPrivileges, twin),
      ),
    };
    const statements = [
      ...(users.twin ? [] : [createStatement(twin, users.original.isSuperuser)]),
      ...(users.isMarked ? [] : markStatements(twin, users.hasMarkGroup)),
      ...Object.values(changes).flatMap((change) => change.statements),
    ];
    if (statements.length > 0) await change(connection, statements, `making "${twin}" like "${name}"`);
    log.info(users.twin ? "The twin follows its original" : "The twin was created", {
      server: address,
      user: twin,
      differences: Object.values(changes).reduce((sum, { differences }) => sum + differences, 0),
      by: Object.fromEntries(Object.entries(changes).map(([kind, { differences }]) => [kind, differences])),
    });
  });
}

/** Sets the password of the pair's pending user; the original also gets what the twin has made. */
export async function setPassword(admin: Admin, pair: Pair, password: string, isOurs: IsOurs): Promise<void> {
  const { connection, address, log } = admin;
  const doing = `setting the password of "${pair[pair.pending]}"`;
  await again(async () => {
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
    await change(connection, [...mark, ...rights.statements, passwordStatement(pair.original, password)], doing);
    log.info("The original may use what the twin owns", {
      server: address,
      user: pair.original,
      differences: rights.differences,
    });
  });
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
  const rows = await connection.run([...preamble, ...users, ...rights, defaultPrivilegeQuery(names)]);
  const answers = rows.map((each) => each.filter((row) => unknownWord(row) === undefined));
  const unknown = new Set(rows.flat().flatMap((row) => unknownWord(row) ?? []));
  if (unknown.size > 0) {
    log.warn("The catalogue has words that are not known here: the rights that it tells with them stay as they are", {
      server: address,
      words: [...unknown],
    });
  }
  const ofUsers = answers.slice(preamble.length, preamble.length + users.length);
  const ofRights = answers.slice(preamble.length + users.length, -1);
  return {
    users: requireOriginal(usersOf(ofUsers, names, connection.user), pair, address),
    original: rightsOf(ofRights, pair.original),
    twin: rightsOf(ofRights, pair.twin),
    defaultPrivileges: defaultPrivilegesOf(answers.at(-1) ?? []),
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
async function again(work: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await work();
      return;
    } catch (error) {
      if (attempt === 3 || !(error instanceof RotationError && error.code === "database")) throw error;
    }
  }
}

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
