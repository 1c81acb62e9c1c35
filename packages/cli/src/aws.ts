import { awsFailure } from "./aws-failure.ts";
import type { CommonFlags, Context } from "./context.ts";

/** How every client of AWS is configured; what is absent comes from the SDK's own chain (environment, profiles, roles). */
export interface ClientOptions {
  readonly region?: string;
  readonly profile?: string;
  readonly endpoint?: string;
  readonly requestHandler: {
    readonly connectionTimeout: number;
    readonly requestTimeout: number;
    readonly throwOnRequestTimeout: boolean;
  };
}

export function clientOptions({ region, profile, endpointUrl }: CommonFlags): ClientOptions {
  return {
    ...(region === undefined ? {} : { region }),
    ...(profile === undefined ? {} : { profile }),
    ...(endpointUrl === undefined ? {} : { endpoint: endpointUrl }),
    requestHandler: { connectionTimeout: 5_000, requestTimeout: 20_000, throwOnRequestTimeout: true },
  };
}

/**
 * One call of Secrets Manager.
 *
 * @param secretId what it is about
 * @throws Failure
 */
export async function ask<Output>(
  context: Context,
  secretId: string | undefined,
  send: (options: { abortSignal: AbortSignal }) => Promise<Output>,
): Promise<Output> {
  try {
    return await send({ abortSignal: context.io.signal });
  } catch (error) {
    throw await awsFailure(error, secretId, context);
  }
}
