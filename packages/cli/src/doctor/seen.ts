import { oneLine } from "@quarterturn/core";
import { ask } from "../aws.ts";
import type { Context } from "../context.ts";
import { Failure } from "../failure.ts";

/** What was asked for, or why it could not be had. */
export type Seen<T> = { readonly is: "seen"; readonly it: T } | { readonly is: "unseen"; readonly why: string };

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
  try {
    return seen(
      await ask(context, secretId, (options) =>
        send(options).catch((error: Error) => {
          if (notThere.test(error.name)) return undefined;
          if (denied.test(error.name)) throw new Failure("aws", `you may not ${action}`, "", { cause: error });
          throw error;
        }),
      ),
    );
  } catch (error) {
    return whyUnseen(context, error);
  }
}

/** @throws the error, where it is not one of reading */
export function whyUnseen({ io }: Context, error: unknown): Extract<Seen<never>, { is: "unseen" }> {
  io.signal.throwIfAborted();
  if (error instanceof Failure) return { is: "unseen", why: oneLine(error.message).replace(/\.$/, "") };
  throw error;
}

const notThere = /^(ResourceNotFoundException|NotFoundException|NoSuchEntity(Exception)?)$/;
const denied = /^(AccessDenied(Exception)?|UnauthorizedOperation)$/;
