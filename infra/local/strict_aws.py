"""Makes the local AWS refuse what AWS refuses and MiniStack 1.5 accepts: the layer between callers and MiniStack.

`install` wraps the services before they serve requests. A refused call gets AWS's error, so the code behind it must
do what it would have to do on AWS. Two rules concern only the functions, because the runner calls as an operator
who would simply try again later: throttling, and the delay until a written secret is visible or a deleted one gone.
docs/decisions/strict-local-stack.md lists the rules and what they do not cover.
"""

import hashlib
import json
import os
import time

from strict_rules import (
    REQUEST_BYTES_MAX, RESPONSE_BYTES_MAX, Deletions, EncryptedKeys, Refusal, Throttle, Visibility, check_batch,
    check_data_key, check_environment, check_message, check_schedule, check_schedule_name, check_secret,
    check_secret_name, divide_batch, is_too_large,
)

# Each nth call of a function is throttled; 0 throttles none.
TABLE_THROTTLED_EVERY = int(os.environ.get("STRICT_TABLE_THROTTLED_EVERY", "100"))
# Of each nth batch of reads of a function, half of the keys are left unprocessed, as DynamoDB may do; 0 leaves none.
BATCH_DIVIDED_EVERY = int(os.environ.get("STRICT_BATCH_DIVIDED_EVERY", "10"))
SECRETS_THROTTLED_EVERY = int(os.environ.get("STRICT_SECRETS_THROTTLED_EVERY", "20"))
KEYS_THROTTLED_EVERY = int(os.environ.get("STRICT_KEYS_THROTTLED_EVERY", "20"))
# How many seconds a function's write of a secret stays invisible.
SECRETS_VISIBLE_AFTER = float(os.environ.get("STRICT_SECRETS_VISIBLE_AFTER", "1"))
# How many seconds the name of a secret that a function has deleted cannot be used again.
SECRETS_DELETED_AFTER = float(os.environ.get("STRICT_SECRETS_DELETED_AFTER", "5"))
# How many milliseconds an SDK waits before it repeats a throttled call. Without this header, the functions' SDK waits
# up to a second (aws-runtime 1.10, retries/classifiers.rs), which would be a large part of a run on the local AWS.
RETRY_AFTER = "50"


def install():
    """Adds the rules to MiniStack before it serves requests. Fails if MiniStack's internals have changed."""
    from ministack.services import apigateway, dynamodb, kms, lambda_svc, scheduler, secretsmanager, sqs
    from ministack.services.cloudformation import provisioners

    _check_messages(sqs)
    _check_schedules(scheduler)
    _throttle_table(dynamodb)
    _check_secrets(secretsmanager)
    _check_keys(kms)
    _check_requests(apigateway)
    _hide_failures(lambda_svc)
    _check_responses(lambda_svc)
    _check_environments(provisioners)


def _is_of_function(headers, query_params):
    from ministack.core.router import extract_access_key_id

    # The runner and the tests call with the key of the root user.
    return extract_access_key_id(headers, query_params) not in ("", "test")


def _refused(refusal):
    from ministack.core.responses import error_response_json

    return error_response_json(refusal.code, refusal.message, 400)


def _throttled(message):
    status, headers, body = _refused(Refusal("ThrottlingException", message))
    return status, {**headers, "x-amz-retry-after": RETRY_AFTER}, body


def _action(headers):
    return headers.get("x-amz-target", "").rpartition(".")[2]


def _read_json(body):
    try:
        read = json.loads(body) if body else {}
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


def _call(action, body):
    """The identity of a call: a repetition by the SDK has the same."""
    content = body if isinstance(body, bytes) else str(body).encode()
    return action, hashlib.sha256(content).digest()


def _check_messages(sqs):
    send_message, send_batch = sqs._act_send_message, sqs._HANDLERS["SendMessageBatch"]

    def checked(check, value):
        try:
            check(value)
        except Refusal as refusal:
            raise sqs._Err(refusal.code, refusal.message) from refusal

    def act_send_message(data, qurl):
        checked(check_message, data)
        return send_message(data, qurl)

    def act_send_message_batch(data, qurl):
        checked(check_batch, data.get("Entries") or [])
        return send_batch(data, qurl)

    # The handler of batches sends each message with the function of this name.
    sqs._act_send_message = act_send_message
    sqs._HANDLERS["SendMessage"] = act_send_message
    sqs._HANDLERS["SendMessageBatch"] = act_send_message_batch


def _check_schedules(scheduler):
    create, update = scheduler._create_schedule, scheduler._update_schedule

    def checked(store):
        def store_schedule(name, body):
            try:
                check_schedule_name(name)
                check_schedule(body, time.time())
            except Refusal as refusal:
                return scheduler._error(400, refusal.code, refusal.message)
            return store(name, body)

        return store_schedule

    scheduler._create_schedule, scheduler._update_schedule = checked(create), checked(update)


def _throttle_table(dynamodb):
    original, throttle = dynamodb.handle_request, Throttle(TABLE_THROTTLED_EVERY)
    divide = Throttle(BATCH_DIVIDED_EVERY)

    async def handle_request(method, path, headers, body, query_params):
        if not _is_of_function(headers, query_params):
            return await original(method, path, headers, body, query_params)
        call = _call(_action(headers), body)
        if throttle.refuses(call):
            return _throttled("Rate of requests exceeds the allowed throughput.")
        divided = _action(headers) == "BatchGetItem" and divide_batch(_read_json(body))
        if not divided or not divide.refuses(call):
            return await original(method, path, headers, body, query_params)
        processed, left = divided
        answer = await original(method, path, headers, json.dumps(processed).encode(), query_params)
        return _with_unprocessed(answer, left) if answer[0] == 200 else answer

    dynamodb.handle_request = handle_request


def _with_unprocessed(answer, left):
    """The answer to a batch of reads, with keys that were not processed."""
    from ministack.core.responses import json_response

    read = _read_json(answer[2])
    return json_response({**read, "UnprocessedKeys": {**(read.get("UnprocessedKeys") or {}), **left}})


def _check_secrets(service):
    original, throttle = service.handle_request, Throttle(SECRETS_THROTTLED_EVERY)
    visibility = Visibility(SECRETS_VISIBLE_AFTER)
    deletions = Deletions(SECRETS_DELETED_AFTER)

    async def handle_request(method, path, headers, body, query_params):
        action, data = _action(headers), _read_json(body)
        of_function = _is_of_function(headers, query_params)
        if of_function and throttle.refuses(_call(action, body)):
            return _throttled("Rate exceeded")
        name, secret = service._resolve(data.get("SecretId") or data.get("Name"))
        try:
            check_secret(data)
            if action == "CreateSecret":
                check_secret_name(data.get("Name") or "")
            if of_function and action in ("CreateSecret", "PutSecretValue"):
                deletions.check(data.get("SecretId") or data.get("Name"))
            if action == "PutSecretValue" and secret and (repeated := _repeated_write(service, secret, data)):
                return repeated
            if action == "GetSecretValue" and of_function and name:
                body = json.dumps(_visible_request(service, visibility, name, secret, data)).encode()
        except Refusal as refusal:
            return _refused(refusal)
        previous = service._find_stage_version(secret, "AWSCURRENT")[0] if secret else None
        answer = await original(method, path, headers, body, query_params)
        if answer[0] != 200:
            return answer
        if action == "CreateSecret":
            answer = _name_first_version(service, data, answer)
        if action in ("CreateSecret", "PutSecretValue") and of_function:
            visibility.wrote(name or data["Name"], _read_json(answer[2])["VersionId"], previous)
        if action == "DeleteSecret" and name and data.get("ForceDeleteWithoutRecovery"):
            visibility.forget(name)
            if of_function:
                deletions.deleted(name)
        return answer

    service.handle_request = handle_request


def _repeated_write(service, secret, data):
    """The answer to a write whose request token was used before: AWS stores one version per token."""
    from ministack.core.responses import json_response

    version = data.get("ClientRequestToken")
    stored = secret["Versions"].get(version)
    if not stored:
        return None
    if stored.get("SecretString") != data.get("SecretString"):
        raise Refusal("ResourceExistsException",
                      f"A resource with the version id {version} already exists and its value differs.")
    return json_response({"ARN": secret["ARN"], "Name": secret["Name"], "VersionId": version,
                          "VersionStages": list(stored["Stages"])})


def _visible_request(service, visibility, name, secret, data):
    """The request for the version that the caller sees instead of a hidden one."""
    asked = data.get("VersionId")
    current = asked or service._find_stage_version(secret, data.get("VersionStage", "AWSCURRENT"))[0]
    if not visibility.is_hidden(name, current):
        return data
    older = None if asked else visibility.newest_visible(name)
    if older is None:
        raise Refusal("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
    return {"SecretId": data["SecretId"], "VersionId": older}


def _name_first_version(service, data, answer):
    """Gives the version of a new secret the request token as its id, as AWS does."""
    from ministack.core.responses import json_response

    version, (_, secret) = data.get("ClientRequestToken"), service._resolve(data.get("Name"))
    if not version or not secret:
        return answer
    drawn, _ = service._find_stage_version(secret, "AWSCURRENT")
    secret["Versions"][version] = secret["Versions"].pop(drawn)
    return json_response({"ARN": secret["ARN"], "Name": secret["Name"], "VersionId": version})


def _check_keys(kms):
    original, throttle, keys = kms.handle_request, Throttle(KEYS_THROTTLED_EVERY), EncryptedKeys()

    async def handle_request(method, path, headers, body, query_params):
        action, data = _action(headers), _read_json(body)
        if _is_of_function(headers, query_params) and throttle.refuses(_call(action, body)):
            return _throttled("You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.")
        try:
            if action == "GenerateDataKey":
                check_data_key(data)
            # MiniStack would take the key that encrypted the text instead.
            if action == "Decrypt" and data.get("KeyId") and not kms._resolve_key(data["KeyId"]):
                raise Refusal("NotFoundException", f"Key '{data['KeyId']}' does not exist")
            status, answer_headers, answer_body = await original(method, path, headers, body, query_params)
            answer = _read_json(answer_body) if status == 200 else {}
            # An asymmetric key encrypts outside of KMS, too, and its answers have no such id.
            if action == "Decrypt" and "KeyMaterialId" in answer:
                keys.check(data["CiphertextBlob"], answer["KeyId"])
            elif "CiphertextBlob" in answer:
                keys.encrypted(answer["CiphertextBlob"], answer["KeyId"])
        except Refusal as refusal:
            return _refused(refusal)
        return status, answer_headers, answer_body

    kms.handle_request = handle_request


def _check_requests(apigateway):
    execute = apigateway.handle_execute

    async def handle_execute(api_id, stage, path, method, headers, body, *others, **options):
        if len(body or b"") > REQUEST_BYTES_MAX:
            return _gateway_error(413, "Request Entity Too Large")
        return await execute(api_id, stage, path, method, headers, body, *others, **options)

    apigateway.handle_execute = handle_execute


def _hide_failures(lambda_svc):
    """An HTTP API does not forward the error of a function, nor that of Lambda if the function is throttled:
    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-troubleshooting-lambda.html"""
    convert = lambda_svc.lambda_execute_result_to_api_proxy_response

    def convert_result(result):
        for failure, status, message in [("throttle", 503, "Service Unavailable"),
                                         ("error", 500, "Internal Server Error")]:
            if result.get(failure):
                code, headers, body = _gateway_error(status, message)
                return {"statusCode": code, "headers": headers, "body": body.decode()}, None
        return convert(result)

    lambda_svc.lambda_execute_result_to_api_proxy_response = convert_result


def _gateway_error(status, message):
    return status, {"Content-Type": "application/json"}, json.dumps({"message": message}).encode()


def _check_responses(lambda_svc):
    execute = lambda_svc._execute_function_dispatch

    def execute_function_dispatch(func, config, event, request_id, started):
        result = execute(func, config, event, request_id, started)
        if not isinstance(result, dict) or result.get("error") or not is_too_large(result.get("body")):
            return result
        message = f"Response payload size exceeded maximum allowed payload size ({RESPONSE_BYTES_MAX} bytes)."
        error = {"errorType": "Function.ResponseSizeTooLarge", "errorMessage": message}
        return {"body": error, "error": True, "function_error": "Unhandled", "log": result.get("log", "")}

    lambda_svc._execute_function_dispatch = execute_function_dispatch


def _check_environments(provisioners):
    handler = provisioners._RESOURCE_HANDLERS["AWS::Lambda::Function"]
    create, update = handler["create"], handler["update"]

    def check(logical_id, props):
        environment = props.get("Environment") or {}
        check_environment(logical_id, environment.get("Variables") or {})

    def create_function(logical_id, props, stack_name):
        check(logical_id, props)
        return create(logical_id, props, stack_name)

    def update_function(physical_id, old_props, new_props, stack_name, logical_id=None):
        check(logical_id or physical_id, new_props)
        return update(physical_id, old_props, new_props, stack_name, logical_id)

    handler["create"], handler["update"] = create_function, update_function
