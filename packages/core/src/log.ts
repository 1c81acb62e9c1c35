import { type LogLevel, logLevels } from "./settings.ts";

/** Fields of a log record: names, hosts, numbers; never a secret value. */
export type LogFields = Readonly<
  Record<string, string | number | boolean | readonly string[] | Readonly<Record<string, number>> | undefined>
>;

/** A structured log. The message is a constant; what varies goes into the fields. */
export type Log = Readonly<Record<"debug" | "info" | "warn" | "error", (message: string, fields?: LogFields) => void>>;

/**
 * One JSON object a line in the shape that Lambda's own JSON log format has (timestamp, level, requestId, message), so that the service's
 * level filter and CloudWatch Logs Insights read it.
 *
 * @param write receives each line, without its line break
 * @param base fields of every record
 * @param redact the last look at every text
 * @see https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html
 */
export function jsonLog(
  write: (line: string) => void,
  level: LogLevel,
  base: LogFields,
  redact: (text: string) => string,
): Log {
  const at = (recordLevel: LogLevel) => (message: string, fields?: LogFields) => {
    if (logLevels.indexOf(recordLevel) < logLevels.indexOf(level)) return;
    const spoken = JSON.stringify({ message, ...fields }, (_key, value: unknown) =>
      typeof value === "string" ? redact(value) : value,
    );
    // What the service itself said of the invocation is no secret, and a log without it cannot be filtered.
    const record = {
      timestamp: new Date().toISOString(),
      level: recordLevel,
      ...base,
      ...(JSON.parse(spoken) as LogFields),
    };
    write(JSON.stringify(record));
  };
  return { debug: at("DEBUG"), info: at("INFO"), warn: at("WARN"), error: at("ERROR") };
}
