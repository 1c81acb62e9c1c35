export { type Connection, causeOf, connect, type Product, statementError } from "./connection.ts";
