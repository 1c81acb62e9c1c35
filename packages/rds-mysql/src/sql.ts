/** A text literal, for a session whose sql_mode is empty: the session's first statement sees to that. */
export function literal(text: string): string {
  return `'${text.replaceAll(/['\\]/g, "$&$&")}'`;
}

/** https://dev.mysql.com/doc/refman/9.7/en/identifiers.html: in backticks, a backtick is doubled, in every sql_mode. */
export function identifier(name: string): string {
  return `\`${name.replaceAll("`", "``")}\``;
}

/** A user at the hosts that it may come from. */
export interface Account {
  readonly user: string;
  readonly host: string;
}

/** An account as statements name it, and as SHOW GRANTS does. */
export function accountName({ user, host }: Account): string {
  return `${identifier(user)}@${identifier(host)}`;
}

/** `CURRENT_USER()` as an account. A host holds no @. */
export function accountOf(currentUser: string): Account {
  const at = currentUser.lastIndexOf("@");
  return { user: currentUser.slice(0, at), host: currentUser.slice(at + 1) };
}
