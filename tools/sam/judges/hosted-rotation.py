"""Prints the properties with which CloudFormation's own schema lets one deploy AWS's rotation functions, as JSON."""
import json

from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", "AWS::SecretsManager::RotationSchedule").schema
print(json.dumps(list(schema["definitions"]["HostedRotationLambda"]["properties"])))
