"""Prints what CloudFormation's own schemas say that it calls for resources of the given types, by its operation, as JSON."""
import json
import sys

from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

calls = {}
for resource_type in sys.argv[1:]:
    handlers = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", resource_type).schema["handlers"]
    for operation, handler in handlers.items():
        calls.setdefault(operation, []).extend(handler["permissions"])
print(json.dumps(calls))
