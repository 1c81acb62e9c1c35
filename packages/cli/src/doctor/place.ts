/** Where an ARN's thing is. */
export interface Place {
  /** e.g. `aws`, `aws-cn` */
  readonly partition: string;
  readonly region: string;
  readonly account: string;
}

export function placeOf(arn: string): Place {
  const [, partition = "aws", , region = "", account = ""] = arn.split(":");
  return { partition, region, account };
}
