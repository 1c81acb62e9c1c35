import { keyPrefix } from "./packaged-application.ts";

/**
 * What the repository needs: it copies the archives when a version is made.
 * https://docs.aws.amazon.com/serverlessrepo/latest/devguide/serverlessrepo-how-to-publish.html
 */
export const bucketPolicy = (bucket: string) =>
  policy([
    {
      Effect: "Allow",
      Principal: { Service: "serverlessrepo.amazonaws.com" },
      Action: "s3:GetObject",
      Resource: `arn:aws:s3:::${bucket}/${keyPrefix}*`,
      Condition: { StringEquals: { "aws:SourceAccount": "ACCOUNT" } },
    },
  ]);

/**
 * What whoever publishes needs, and no more.
 * https://docs.aws.amazon.com/serverlessrepo/latest/devguide/serverlessrepo-api-permissions-ref.html
 */
export const publisherPolicy = (bucket: string) =>
  policy([
    // To see that the bucket is there, and to tell an object that is not there from one that may not be seen.
    { Effect: "Allow", Action: "s3:ListBucket", Resource: `arn:aws:s3:::${bucket}` },
    { Effect: "Allow", Action: ["s3:GetObject", "s3:PutObject"], Resource: `arn:aws:s3:::${bucket}/${keyPrefix}*` },
    { Effect: "Allow", Action: ["serverlessrepo:CreateApplication", "serverlessrepo:ListApplications"], Resource: "*" },
    {
      Effect: "Allow",
      Action: [
        "serverlessrepo:CreateApplicationVersion",
        "serverlessrepo:GetApplication",
        "serverlessrepo:GetApplicationPolicy",
        "serverlessrepo:PutApplicationPolicy",
        "serverlessrepo:UpdateApplication",
      ],
      Resource: "arn:aws:serverlessrepo:REGION:ACCOUNT:applications/quarterturn-*",
    },
  ]);

const policy = (Statement: readonly object[]) => JSON.stringify({ Version: "2012-10-17", Statement }, null, 2);
