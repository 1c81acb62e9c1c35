const reference = "https://docs.aws.amazon.com/service-authorization/latest/reference";
const globalKeys = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html";

/** The keys of IAM conditions that policies of this repository name, each with the page on which AWS lists it. No test visits those. */
export const conditionKeys: Readonly<Record<string, string>> = {
  "aws:PrincipalAccount": globalKeys,
  "aws:PrincipalArn": globalKeys,
  "aws:SourceAccount": globalKeys,
  "aws:SourceArn": globalKeys,
  "iam:PassedToService": `${reference}/list_awsidentityandaccessmanagementiam.html`,
  "iam:PermissionsBoundary": `${reference}/list_awsidentityandaccessmanagementiam.html`,
  // Of any context, hence the key's name within it; Secrets Manager's has SecretARN and SecretVersionId.
  "kms:EncryptionContext:SecretARN": "https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html",
  "kms:ViaService": `${reference}/list_awskeymanagementservice.html`,
  "lambda:SourceFunctionArn": "https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html",
  "redshift-data:statement-owner-iam-userid": `${reference}/list_amazonredshiftdataapi.html`,
  "secretsmanager:ModifyRotationRules": `${reference}/list_awssecretsmanager.html`,
  "secretsmanager:RotationLambdaARN": `${reference}/list_awssecretsmanager.html`,
  "secretsmanager:resource/AllowRotationLambdaArn": `${reference}/list_awssecretsmanager.html`,
};
