import {
  GetFunctionConfigurationCommand,
  type GetFunctionConfigurationCommandOutput,
  GetPolicyCommand,
  LambdaClient,
} from "@aws-sdk/client-lambda";
import type { Context } from "../context.ts";
import { read, type Seen } from "./seen.ts";

/** The function that the secret names, undefined in what does not exist. */
export interface RotationFunction {
  readonly arn: string;
  readonly configuration: Seen<GetFunctionConfigurationCommandOutput | undefined>;
  /** Its resource policy, as JSON. */
  readonly policy: Seen<string | undefined>;
}

export async function readFunction(context: Context, secretId: string, arn: string): Promise<RotationFunction> {
  const lambda = new LambdaClient(context.clientOptions);
  const of = { FunctionName: arn };
  try {
    const configuration = await read(context, "lambda:GetFunctionConfiguration", secretId, (options) =>
      lambda.send(new GetFunctionConfigurationCommand(of), options),
    );
    const policy = await read(context, "lambda:GetPolicy", secretId, async (options) => {
      const { Policy } = await lambda.send(new GetPolicyCommand(of), options);
      return Policy;
    });
    return { arn, configuration, policy };
  } finally {
    lambda.destroy();
  }
}

/** The function's own settings, none where they cannot be read. */
export function settingsOf({ configuration }: RotationFunction): Readonly<Record<string, string>> {
  return (configuration.is === "seen" && configuration.it?.Environment?.Variables) || {};
}

/** Whether it reaches its cluster by the Data API alone. */
export const usesDataApi = (found: RotationFunction | undefined): boolean =>
  found !== undefined && settingsOf(found).REDSHIFT_TRANSPORT === "data-api";

/** Its name, without version or alias. */
export const nameOf = (arn: string): string => arn.split(":")[6] ?? arn;
