export { type Connection, causeOf, connect, type Product, statementError, whereOf } from "./connection.ts";
