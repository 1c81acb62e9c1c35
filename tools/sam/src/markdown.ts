export const code = (text: string) => `\`${text}\``;

/** A condition of IAM in words, e.g. "; where `kms:ViaService` is `…`"; empty where there is none. @throws Error for an operator without a word */
export function conditionText(
  condition: unknown,
  valueText: (value: unknown) => string = (value) => code(String(value)),
): string {
  return Object.entries((condition ?? {}) as Readonly<Record<string, Readonly<Record<string, unknown>>>>)
    .flatMap(([operator, keys]) =>
      Object.entries(keys).map(([key, value]) => `; where ${code(key)} ${verbOf(operator)} ${valueText(value)}`),
    )
    .join("");
}

function verbOf(operator: string): string {
  if (/^(String|Arn)Equals$/.test(operator)) return "is";
  if (/^(String|Arn)Like$/.test(operator)) return "is like";
  throw new Error(`A table of permissions has no words for the operator ${operator}`);
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
