/**
 * Editing a secret's JSON without rewriting it: everything but the changed values keeps its bytes (key order, numbers of any size,
 * white space, unknown keys).
 */

/**
 * The text with the given top-level members set: an existing member's value is replaced where it stands (of duplicate keys the
 * last, which is the one that counts), a new one is appended.
 *
 * @param text a JSON object
 * @param changes values to set; `undefined` leaves a member alone
 * @throws SyntaxError where the text is not a JSON object
 */
export function editJson(text: string, changes: Readonly<Record<string, unknown>>): string {
  const parsed: unknown = JSON.parse(text);
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed))
    throw new SyntaxError("not a JSON object");
  const members = topLevelMembers(text);
  const additions: string[] = [];
  const edits: { start: number; end: number; value: string }[] = [];
  for (const [key, value] of Object.entries(changes)) {
    if (value === undefined) continue;
    const span = members.get(key);
    if (span) edits.push({ ...span, value: JSON.stringify(value) });
    else additions.push(`${JSON.stringify(key)}:${JSON.stringify(value)}`);
  }
  if (additions.length > 0) {
    const lastMember = Math.max(text.indexOf("{") + 1, ...[...members.values()].map((span) => span.end));
    edits.push({ start: lastMember, end: lastMember, value: (members.size > 0 ? "," : "") + additions.join(",") });
  }
  return edits
    .sort((a, b) => b.start - a.start)
    .reduce((result, edit) => result.slice(0, edit.start) + edit.value + result.slice(edit.end), text);
}

/** Where the value of each top-level member stands. The text is known to be a valid JSON object. */
function topLevelMembers(text: string): Map<string, { start: number; end: number }> {
  const members = new Map<string, { start: number; end: number }>();
  let depth = 0;
  let key: string | undefined;
  let start: number | undefined;
  for (const match of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g)) {
    const token = match[0];
    const end = match.index + token.length;
    if (token === "}" || token === "]") depth--;
    if (depth === 1) {
      if (token === ",") key = start = undefined;
      else if (key === undefined) {
        if (token.startsWith('"')) key = JSON.parse(token) as string;
      } else if (token !== ":") {
        start ??= match.index;
        members.set(key, { start, end });
      }
    }
    if (token === "{" || token === "[") depth++;
  }
  return members;
}
