import { RotationError } from "@quarterturn/core";
import type { Obstacle, Pair, PairState } from "@quarterturn/database";
import type { Run } from "./connection.ts";
import type { Server } from "./server.ts";
import { accountName, literal } from "./sql.ts";
import { refuseStrays, requireOriginal } from "./twin.ts";

/** How a pair stands. @throws RotationError where the users cannot be read, or there is no original */
export async function inspectPair(run: Run, server: Server, pair: Pair, address: string): Promise<PairState> {
  const { pairs, strays } = await requireOriginal(run, server, pair, address);
  const twins = pairs.flatMap(({ twin }) => twin ?? []);
  const twinFault = faultOf(() => refuseStrays(strays, pair.original, address));
  const isMarked = twins.every(({ twinOf }) => twinOf === pair.original);
  return {
    admin: (await lackingRight(run, server, address)) ?? "able",
    twin: twins.length === 0 ? "none" : isMarked ? "known" : "unproven",
    twinDefines: twins.length === 0 ? [] : await definedBy(run, pair.twin),
    ...(twinFault && { twinFault }),
  };
}

/** CREATE USER: of one's own grants the server shows those of active roles, too. Whether rights that are replayed may be granted shows then. */
async function lackingRight(run: Run, { account }: Server, address: string): Promise<Obstacle | undefined> {
  const grants = await run("SHOW GRANTS", "reading the admin's rights");
  const may = grants.some((grant) => {
    const [, rights = ""] = /^GRANT (.*) ON \*\.\* TO /.exec(String(Object.values(grant)[0])) ?? [];
    return rights.split(", ").some((right) => ["ALL PRIVILEGES", "CREATE USER"].includes(right));
  });
  if (may) return undefined;
  return {
    what: `${address}: the admin ${accountName(account)} may not make and change users`,
    advice: `Run as a user who may: GRANT CREATE USER ON *.* TO ${accountName(account)};`,
  };
}

/** Views, routines, triggers and events whose DEFINER is the twin: they end with it. */
async function definedBy(run: Run, twin: string): Promise<readonly string[]> {
  // A definer is written as user@host, and a host has no @.
  const isTwins = `LEFT(DEFINER, CHAR_LENGTH(DEFINER) - LOCATE('@', REVERSE(DEFINER))) = ${literal(twin)}`;
  const kinds = [
    ["'view'", "TABLE_SCHEMA", "TABLE_NAME", "VIEWS"],
    ["LOWER(ROUTINE_TYPE)", "ROUTINE_SCHEMA", "ROUTINE_NAME", "ROUTINES"],
    ["'trigger'", "TRIGGER_SCHEMA", "TRIGGER_NAME", "TRIGGERS"],
    ["'event'", "EVENT_SCHEMA", "EVENT_NAME", "EVENTS"],
  ] as const;
  const selects = kinds.map(
    ([kind, schema, name, table]) =>
      `SELECT ${kind} AS kind, ${schema} AS place, ${name} AS name FROM information_schema.${table} WHERE ${isTwins}`,
  );
  const rows = await run(`${selects.join(" UNION ALL ")} ORDER BY 1, 2, 3`, "reading what the twin defines");
  return rows.map(({ kind, place, name }) => `${kind} ${place}.${name}`);
}

function faultOf(look: () => void): Obstacle | undefined {
  try {
    look();
    return undefined;
  } catch (error) {
    if (error instanceof RotationError) return error;
    throw error;
  }
}
