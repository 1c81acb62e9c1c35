import { type ServeFlags, serve, withServeOptions } from "@quarterturn/local/serve";
import type { Register } from "../command.ts";
import type { Context } from "../context.ts";
import { Failure } from "../failure.ts";
import { type Outcome, wrap } from "../output.ts";

export const registerLocal: Register = (program, act) => {
  const description =
    "A Secrets Manager for this machine, which really rotates: with all functions of Quarterturn by name, and with yours. It prints its URL when it is ready.";
  return withServeOptions(program.command("local").description(description)).action(act(local));
};

/** The functions by the names that their applications have, without the first word. */
const functions = {
  "rds-postgres-single-user": async () => (await import("@quarterturn/rds-postgres/single-user")).handler,
  "rds-postgres-multi-user": async () => (await import("@quarterturn/rds-postgres/multi-user")).handler,
  "rds-mysql-single-user": async () => (await import("@quarterturn/rds-mysql/single-user")).handler,
  "rds-mysql-multi-user": async () => (await import("@quarterturn/rds-mysql/multi-user")).handler,
  "documentdb-single-user": async () => (await import("@quarterturn/documentdb/single-user")).handler,
  "documentdb-multi-user": async () => (await import("@quarterturn/documentdb/multi-user")).handler,
  "redshift-single-user": async () => (await import("@quarterturn/redshift/single-user")).handler,
  "redshift-multi-user": async () => (await import("@quarterturn/redshift/multi-user")).handler,
};

async function local(context: Context, flags: ServeFlags): Promise<Outcome> {
  const { url, region, functionArn } = await serve(flags, functions).catch((error: Error) => {
    throw new Failure("usage", error.message.split("\n", 1)[0]?.replace(/\.$/, "") ?? "", "", { cause: error });
  });
  const names = [...Object.keys(functions), ...Object.keys(flags.function ?? {})];
  context.note(wrap(`Functions:  ${names.join(" ")}`, 80));
  // Every service, so that nothing leaves this machine; a profile would go before the keys.
  context.note("To use it:  in another shell");
  context.note(`export AWS_ENDPOINT_URL=${url} AWS_REGION=${region} AWS_DEFAULT_REGION=${region}`);
  context.note("export AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any");
  context.note("unset AWS_PROFILE AWS_SESSION_TOKEN AWS_ENDPOINT_URL_SECRETS_MANAGER");
  return {
    data: { url, region, functions: Object.fromEntries(names.map((name) => [name, functionArn(name)])) },
    text: () => url,
  };
}
