"""
Turns SAM templates into the CloudFormation that the service would make of them, a line of JSON each. The archive's path becomes an S3 address,
as publishing does.
"""
import json
import sys

import yaml
from samtranslator.translator.transform import transform


class NoManagedPolicies:
    """None of the templates names one."""

    def load(self):
        return {}


for path in sys.argv[1:]:
    with open(path, encoding="utf-8") as file:
        template = yaml.safe_load(file)
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://bucket/key"
    print(json.dumps(transform(template, {}, NoManagedPolicies())))
