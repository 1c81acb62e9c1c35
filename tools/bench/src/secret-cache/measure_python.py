"""AWS's cache for Python, measured as measure-ours.ts measures ours. Prints one line of JSON."""
import json
import sys
import time

import botocore.session
from aws_secretsmanager_caching import SecretCache

endpoint, names, gets = sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3])
client = botocore.session.get_session().create_client(
    "secretsmanager",
    region_name="us-east-1",
    endpoint_url=endpoint,
    aws_access_key_id="bench",
    aws_secret_access_key="bench",
)
cache = SecretCache(client=client)


def nanoseconds_each(count, get, clock=time.process_time_ns):
    started = clock()
    for i in range(count):
        get(i)
    return (clock() - started) / count


first = nanoseconds_each(len(names), lambda i: cache.get_secret_string(names[i]), time.perf_counter_ns)
for warm_up in range(2):
    one = nanoseconds_each(gets, lambda i: cache.get_secret_string(names[0]))
parsed = nanoseconds_each(gets, lambda i: json.loads(cache.get_secret_string(names[0])))
many = nanoseconds_each(gets, lambda i: cache.get_secret_string(names[i % len(names)]))
print(json.dumps({"first": first, "one": one, "parsed": parsed, "many": many}))
