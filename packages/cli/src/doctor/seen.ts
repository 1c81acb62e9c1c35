import { oneLine, reasonOf } from "@quarterturn/core";
import { awsFailure } from "../aws-failure.ts";
import type { Context } from "../context.ts";
import { Failure } from "../failure.ts";

/** What was asked for, or why it could not be had. */
export type Seen<T> = { readonly is: "seen"; readonly it: T } | Unseen;
export interface Unseen {
  readonly is: "unseen";
  readonly why: string;
}

export const seen = <T>(it: T): Seen<T> => ({ is: "seen", it });

/**
 * One or several reads of AWS; undefined where there is no such thing. An operator may be allowed less than all of them, so that what keeps
 * from reading is an answer too.
 *
 * @param action as IAM names it, e.g. `lambda:GetPolicy`
 */
export async function read<T>(
  context: Context,
  action: string,
  secretId: string,
  send: (options: { abortSignal: AbortSignal }) => Promise<T>,
): Promise<Seen<T | undefined>> {
  const { io, redactor } = context;
  try {
    return seen(await send({ abortSignal: io.signal }));
  } catch (error) {
    io.signal.throwIfAborted();
    const name = error instanceof Error ? error.name : "";
    if (notThere.test(name)) return seen(undefined);
    if (denied.test(name)) return { is: "unseen", why: `you may not ${action}` };
    // Throws what is no error of AWS or of the way to it.
    await awsFailure(error, secretId, context);
    return {
      is: "unseen",
      why: `${action} ends with: ${redactor.redact(oneLine(reasonOf(error))).replace(/\.$/, "")}`,
    };
  }
}

const notThere = /^(ResourceNotFoundException|NotFoundException|NoSuchEntity(Exception)?)$/;
const denied = /^(AccessDenied(Exception)?|UnauthorizedOperation)$/;

/** What kept other code from reading. @throws the error, where it is not that */
export function whyUnseen({ io }: Context, error: unknown): Unseen {
  io.signal.throwIfAborted();
  if (error instanceof Failure) return { is: "unseen", why: oneLine(error.message).replace(/\.$/, "") };
  throw error;
}
