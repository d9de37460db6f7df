"""Lambda's recursive-loop detection for the local AWS.

Lambda counts in the trace header how often each function has run in one chain of messages. After about
16 invocations of one function it drops the next, unless the function sets `RecursiveLoop: Allow`
(https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html). MiniStack 1.5 gives functions no
trace header, does not store the one of a call to SQS with the message, and ignores the property in a
template. `install` adds these three, and ends the local AWS where Lambda would drop an invocation.

The header travels as on AWS: the Runtime API hands it to the function (`Lambda-Runtime-Trace-Id`), the
function's SDK sends it with every call (`X-Amzn-Trace-Id`), SQS keeps it as the message's system attribute
`AWSTraceHeader`. Its part `Lineage` lists the functions of the chain: `Lineage=a87bd80c:3|68fd508a:1`.
docs/decisions/hops-on-the-local-stack.md explains why this module exists.
"""

import contextvars
import os
import re
import secrets
import time
import zlib
from urllib.parse import unquote

# The maximum number of invocations of one function in one chain.
HOPS_MAX = 16

_ENTRY = re.compile(r"([0-9a-f]{8}):([0-9]{1,9})")
_ROOT = re.compile(r"(?:^|;)\s*Root=([^;]+)")
_LINEAGE = re.compile(r"(?:^|;)\s*Lineage=([^;]+)")

# The header of the request that is being served; empty outside of one.
_received = contextvars.ContextVar("received_trace_header", default="")
# The header of the invocation that is running; empty outside of one.
_current = contextvars.ContextVar("current_trace_header", default="")


def read_lineage(header):
    """How often each function has run, by its hash, according to a trace header; unreadable parts are ignored.

    The SDKs encode the bar between two functions as `%7C` when they send the header.
    """
    found = _LINEAGE.search(header)
    entries = unquote(found.group(1)).split("|") if found else []
    matches = [_ENTRY.fullmatch(entry.strip()) for entry in entries]
    return {match.group(1): int(match.group(2)) for match in matches if match}


def merge_lineages(headers):
    """The highest count of each function in any of the headers.

    AWS does not say how it counts a batch of messages from several chains. The highest count finds every loop.
    """
    merged = {}
    for header in headers:
        for function, count in read_lineage(header).items():
            merged[function] = max(count, merged.get(function, 0))
    return merged


def hash_function(function):
    """The function's name in a lineage."""
    return f"{zlib.crc32(function.encode()):08x}"


def next_hop(headers, function):
    """The trace header of an invocation of `function` that messages with `headers` cause, and the number of
    invocations of that function in the longest chain, this one included."""
    lineage = merge_lineages(headers)
    hops = lineage.get(hash_function(function), 0) + 1
    lineage[hash_function(function)] = hops
    roots = [found.group(1) for found in map(_ROOT.search, headers) if found]
    root = roots[0] if roots else f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"
    counts = "|".join(f"{name}:{count}" for name, count in lineage.items())
    return f"Root={root};Parent={secrets.token_hex(8)};Sampled=0;Lineage={counts}", hops


def trace_headers(event):
    """The trace headers of the SQS messages in an event."""
    records = event.get("Records") if isinstance(event, dict) else None
    records = records if isinstance(records, list) else []
    attributes = [record.get("attributes") for record in records if isinstance(record, dict)]
    headers = [each.get("AWSTraceHeader") for each in attributes if isinstance(each, dict)]
    return [header for header in headers if isinstance(header, str)]


def end_local_aws(function, hops):
    """Ends the local AWS after logging the reason. The runner reports the end of the log."""
    said = (
        f"\nRECURSIVE LOOP: {function} was about to run for the {hops}th time in one chain of messages.\n"
        f"Lambda drops an invocation after {HOPS_MAX} of one function in a chain.\n"
        "If the function feeds its own queue by design, set `RecursiveLoop: Allow` in template.yaml.\n"
    )
    os.write(2, said.encode())
    os._exit(1)


def install():
    """Adds the detection to MiniStack before it serves requests. Fails if MiniStack's internals have changed."""
    from ministack.services import lambda_svc, sqs
    from ministack.services.cloudformation import provisioners

    _receive_headers(lambda_svc)
    _receive_headers(sqs)
    _store_with_messages(sqs)
    _count_invocations(lambda_svc)
    _read_setting_from_templates(lambda_svc, provisioners)


def _receive_headers(service):
    original = service.handle_request

    async def handle_request(method, path, headers, body, query_params):
        token = _received.set(headers.get("x-amzn-trace-id", ""))
        try:
            return await original(method, path, headers, body, query_params)
        finally:
            _received.reset(token)

    service.handle_request = handle_request


def _store_with_messages(sqs):
    original = sqs._build_send_sys_attrs

    def build_send_sys_attrs(now, given):
        attributes = original(now, given)
        if _received.get():
            attributes.setdefault("AWSTraceHeader", _received.get())
        return attributes

    sqs._build_send_sys_attrs = build_send_sys_attrs


def _count_invocations(lambda_svc):
    execute = lambda_svc._execute_function_dispatch
    trace_id = lambda_svc._xray_trace_id_for_invocation

    def execute_function_dispatch(func, config, event, request_id, started):
        name = config["FunctionName"]
        header, hops = next_hop(trace_headers(event) or [_received.get()], name)
        setting = (lambda_svc._functions.get(name) or func).get("recursive_loop")
        if hops > HOPS_MAX and setting != "Allow":
            end_local_aws(name, hops)
        token = _current.set(header)
        try:
            return execute(func, config, event, request_id, started)
        finally:
            _current.reset(token)

    def xray_trace_id_for_invocation(config, inbound_trace_header=None):
        return _current.get() or trace_id(config, inbound_trace_header)

    lambda_svc._execute_function_dispatch = execute_function_dispatch
    lambda_svc._xray_trace_id_for_invocation = xray_trace_id_for_invocation


def _read_setting_from_templates(lambda_svc, provisioners):
    handler = provisioners._RESOURCE_HANDLERS["AWS::Lambda::Function"]
    create, update = handler["create"], handler["update"]

    def keep_setting(made, properties):
        name = made[0]
        lambda_svc._functions[name]["recursive_loop"] = properties.get("RecursiveLoop", "Terminate")
        return made

    def create_function(logical_id, props, stack_name):
        return keep_setting(create(logical_id, props, stack_name), props)

    def update_function(physical_id, old_props, new_props, stack_name, logical_id=None):
        made = update(physical_id, old_props, new_props, stack_name, logical_id)
        return keep_setting(made, new_props)

    handler["create"], handler["update"] = create_function, update_function
