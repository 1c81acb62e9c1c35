import { awsFailure } from "./aws-failure.ts";
import type { CommonFlags, Context } from "./context.ts";
import { interrupted } from "./failure.ts";

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
 * Tells the same to the clients that an engine makes for itself (RDS, Redshift), by the variables that every client of the SDK reads: that
 * needs no way through the packages that rotation functions are made of.
 */
export function tellEngines({ region, profile, endpointUrl }: CommonFlags, env: NodeJS.ProcessEnv): void {
  const named = { AWS_REGION: region, AWS_PROFILE: profile, AWS_ENDPOINT_URL: endpointUrl };
  for (const [name, value] of Object.entries(named)) if (value !== undefined) env[name] = value;
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
    if (context.io.signal.aborted) throw interrupted(error);
    throw await awsFailure(error, secretId, context);
  }
}
