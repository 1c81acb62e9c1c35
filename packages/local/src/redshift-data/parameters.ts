import { validationFailed } from "../service-error.ts";

export interface Parameter {
  readonly name: string;
  readonly value: string;
}

/** A statement whose parameters stand apart from its text. */
export interface BoundStatement {
  /** With `$1`, `$2` ... */
  readonly sql: string;
  readonly values: readonly string[];
}

/** Quoted texts and names, dollar quotes, comments and casts, in which a colon means nothing; then a parameter. */
const TOKENS = /'(?:[^'\\]|''|\\.)*'|"(?:[^"]|"")*"|(\$\w*\$)[\s\S]*?\1|--[^\n]*|\/\*[\s\S]*?\*\/|::|:([0-9a-zA-Z_]+)/g;

/**
 * Binds `:name` in the statements of one request. Each may use any of the parameters, as often as it likes.
 * @throws ValidationException where a parameter is given that no statement uses, or used and not given
 */
export function bind(statements: readonly string[], parameters: readonly Parameter[]): readonly BoundStatement[] {
  const given = new Map(parameters.map(({ name, value }) => [name, value]));
  const used = new Set<string>();
  const bound = statements.map((statement) => {
    const names: string[] = [];
    const sql = statement.replace(TOKENS, (token: string, _quote: string | undefined, name: string | undefined) => {
      // Without parameters a colon is the statement's own.
      if (name === undefined || given.size === 0) return token;
      if (!given.has(name)) throw validationFailed(`The parameter ${name} is used in the statement and has no value.`);
      if (!names.includes(name)) names.push(name);
      return `$${names.indexOf(name) + 1}`;
    });
    for (const name of names) used.add(name);
    return { sql, values: names.map((name) => given.get(name) ?? "") };
  });
  const unused = [...given.keys()].find((name) => !used.has(name));
  if (unused !== undefined) throw validationFailed(`The parameter ${unused} is not used in any statement.`);
  return bound;
}
