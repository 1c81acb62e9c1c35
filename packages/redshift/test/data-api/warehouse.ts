import type { FieldValue, Warehouse } from "@quarterturn/local";
import { DatabaseError, type QueryResult } from "pg";
import type { RedshiftImitation } from "../imitation/server.ts";
import { translate } from "../imitation/translation.ts";

/** The types of PostgreSQL that a catalogue query may return, by their ids, as Redshift calls them. */
const TYPES = new Map([
  [16, "bool"],
  [20, "int8"],
  [23, "int4"],
  [25, "varchar"],
  [701, "float8"],
  [1043, "varchar"],
]);

declare module "pg" {
  interface Client {
    /** The server process of the connection, which its types leave out. */
    readonly processID: number;
  }
}

/** Runs the statements of a local Data API on the imitation of Redshift. */
export function warehouseOver({ postgres, superuser }: Pick<RedshiftImitation, "postgres" | "superuser">): Warehouse {
  return {
    async connect({ username, password, database }) {
      const client = await postgres.connect({ user: username, password, database }).catch(inTheServersWords);
      // Without a listener, an error of an idle connection would end the process; the next query reports it.
      client.on("error", () => undefined);
      return {
        async run(sql, values) {
          const query = { text: translate(sql), values: [...values], rowMode: "array" };
          return resultOf(await client.query<FieldValue[]>(query).catch(inTheServersWords));
        },
        async cancel() {
          await superuser.query("SELECT pg_catalog.pg_cancel_backend($1)", [client.processID]);
        },
        close: () => client.end(),
      };
    },
  };
}

/** What the Data API shows of an error: severity and text, and no SQLSTATE. */
function inTheServersWords(error: unknown): never {
  throw error instanceof DatabaseError ? new Error(`${error.severity}: ${error.message}`) : error;
}

function resultOf({ fields, rows, rowCount }: QueryResult<FieldValue[]>) {
  const columns = fields.map(({ name, dataTypeID }) => ({ name, typeName: TYPES.get(dataTypeID) ?? "varchar" }));
  return {
    ...(columns.length > 0 && { columns }),
    rows: rows.map((row) => row.map((value, index) => fieldOf(value, columns[index]?.typeName))),
    rowCount: rowCount ?? 0,
  };
}

/** node-postgres gives an int8 as a text, and types that it does not know as objects. */
function fieldOf(value: unknown, typeName: string | undefined): FieldValue {
  if (value === null || typeof value === "boolean" || typeof value === "number") return value;
  return typeName === "int8" ? Number(value) : String(value);
}
