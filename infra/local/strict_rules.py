"""What AWS refuses and MiniStack 1.5 accepts: the rules, without the emulator.

`strict_aws.py` applies them to the local AWS. Limits of DynamoDB are not among them: MiniStack enforces them, and
`test_strict_aws.py` checks that it does.
"""

import calendar
import json
import re
import time
from datetime import datetime

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
MESSAGE_ATTRIBUTES_MAX = 10
MESSAGE_BYTES_MAX = 1_048_576
MESSAGE_DELAY_SECONDS_MAX = 900
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html; Lambda's own message names this number.
RESPONSE_BYTES_MAX = 6_291_556
ENVIRONMENT_BYTES_MAX = 4_096
# https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html
SECRET_BYTES_MAX = 65_536
# https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
REQUEST_BYTES_MAX = 10 * 1024 * 1024

_FORBIDDEN = re.compile("[^\u0009\u000a\u000d\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ATTRIBUTE_NAME = re.compile(r"(?!(?:aws|amazon)\.)(?!.*\.\.)(?!\.)[A-Za-z0-9_.-]{1,256}(?<!\.)", re.IGNORECASE)
_ATTRIBUTE_TYPE = re.compile(r"(?:String|Number|Binary)(?:\..+)?")
# Letters, digits and the punctuation of ASCII.
_GROUP = re.compile(r"[!-~]{1,128}")
# https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html
_SCHEDULE_NAME = re.compile(r"[0-9A-Za-z_.-]{1,64}")
# https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
_SECRET_NAME = re.compile(r"[0-9A-Za-z/_+=.@-]{1,512}")
_AT = re.compile(r"at\((\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)\)")


class Refusal(Exception):
    """An error that AWS answers with."""

    def __init__(self, code, message):
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


def check_message(message):
    """Refuses a message that SQS would refuse because of its body, its attributes, its size, its delay or its group."""
    if _FORBIDDEN.search(message.get("MessageBody") or ""):
        raise Refusal("InvalidMessageContents", "The message contains characters outside the allowed set.")
    attributes = message.get("MessageAttributes") or {}
    if len(attributes) > MESSAGE_ATTRIBUTES_MAX:
        raise Refusal("InvalidParameterValue",
                      f"Number of message attributes [{len(attributes)}] exceeds the allowed maximum [10].")
    for name, attribute in attributes.items():
        check_attribute(name, attribute)
    if message_bytes(message) > MESSAGE_BYTES_MAX:
        raise Refusal("InvalidParameterValue",
                      f"One or more parameters are invalid. Reason: Message must be shorter than {MESSAGE_BYTES_MAX} "
                      "bytes.")
    delay = message.get("DelaySeconds")
    if delay is not None and not 0 <= int(delay) <= MESSAGE_DELAY_SECONDS_MAX:
        raise Refusal("InvalidParameterValue", f"Value {delay} for parameter DelaySeconds is invalid. Reason: "
                                               f"DelaySeconds must be >= 0 and <= {MESSAGE_DELAY_SECONDS_MAX}.")
    for parameter in ("MessageGroupId", "MessageDeduplicationId"):
        value = message.get(parameter)
        if value is not None and not _GROUP.fullmatch(value):
            raise Refusal("InvalidParameterValue",
                          f"Value {value} for parameter {parameter} is invalid. Reason: {parameter} can only include "
                          "alphanumeric and punctuation characters. 1 to 128 in length.")


def check_attribute(name, attribute):
    """Refuses an attribute of a message whose name, type or value SQS does not accept."""
    if not _ATTRIBUTE_NAME.fullmatch(name):
        raise Refusal("InvalidParameterValue", f"Invalid attribute name: {name}")
    if not _ATTRIBUTE_TYPE.fullmatch(attribute.get("DataType") or ""):
        raise Refusal("InvalidParameterValue", f"The type of message (user) attribute '{name}' is invalid.")
    if attribute["DataType"].startswith("Binary"):
        if not attribute.get("BinaryValue"):
            raise Refusal("InvalidParameterValue", f"The message attribute '{name}' must contain a non-empty value.")
        return
    value = attribute.get("StringValue")
    if not value:
        raise Refusal("InvalidParameterValue", f"The message attribute '{name}' must contain a non-empty value.")
    if _FORBIDDEN.search(value):
        raise Refusal("InvalidMessageContents",
                      f"The value of message attribute '{name}' contains characters outside the allowed set.")


def message_bytes(message):
    """The size of a message that SQS counts: the body, and the name, type and value of each attribute."""
    size = len((message.get("MessageBody") or "").encode("utf-8", "surrogatepass"))
    for name, attribute in (message.get("MessageAttributes") or {}).items():
        parts = (name, attribute.get("DataType"), attribute.get("StringValue"), attribute.get("BinaryValue"))
        size += sum(len(str(part).encode("utf-8", "surrogatepass")) for part in parts if part)
    return size


def check_batch(messages):
    """Refuses a batch that is too long as a whole. Each message may still be refused on its own."""
    size = sum(message_bytes(message) for message in messages)
    if size > MESSAGE_BYTES_MAX:
        raise Refusal("BatchRequestTooLong", f"Batch requests cannot be longer than {MESSAGE_BYTES_MAX} bytes. "
                                             f"You have sent {size} bytes.")


def check_schedule_name(name):
    """Refuses a name that a schedule cannot have."""
    if not _SCHEDULE_NAME.fullmatch(name):
        raise Refusal("ValidationException",
                      f"1 validation error detected: Value '{name}' at 'name' failed to satisfy constraint: Member must "
                      "satisfy regular expression pattern: ^[0-9a-zA-Z-_.]+$")


def check_schedule(schedule, now):
    """Refuses a one-time schedule whose instant, in UTC, is in the past; `now` is in seconds since 1970."""
    expression = schedule.get("ScheduleExpression") or ""
    if not expression.startswith("at("):
        return
    found = _AT.fullmatch(expression)
    try:
        at = found and _seconds(found.groups())
    except ValueError:
        at = None
    if at is None:
        raise Refusal("ValidationException", f"Invalid Schedule Expression {expression}.")
    if at < now:
        raise Refusal("ValidationException", f"Invalid Schedule Expression {expression}: the date is in the past.")


def _seconds(parts):
    return calendar.timegm(datetime(*(int(part) for part in parts)).timetuple())


def check_secret_name(name):
    """Refuses a name that a new secret cannot have."""
    if not _SECRET_NAME.fullmatch(name):
        raise Refusal("ValidationException", "Invalid name. Must be a valid name containing alphanumeric characters, "
                                             "or any of the following: -/_+=.@!")


def check_secret(value):
    """Refuses a value that Secrets Manager cannot store."""
    if len((value.get("SecretString") or "").encode()) > SECRET_BYTES_MAX:
        raise Refusal("ValidationException",
                      "1 validation error detected: Value at 'secretString' failed to satisfy constraint: Member must "
                      f"have length less than or equal to {SECRET_BYTES_MAX}")
    token = value.get("ClientRequestToken")
    if token is not None and not 32 <= len(token) <= 64:
        raise Refusal("ValidationException",
                      "1 validation error detected: Value at 'clientRequestToken' failed to satisfy constraint: Member "
                      "must have length between 32 and 64")


def check_data_key(request):
    """Refuses a request for a data key that does not state its length exactly once:
    https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateDataKey.html"""
    if (request.get("KeySpec") is None) == (request.get("NumberOfBytes") is None):
        raise Refusal("ValidationException", "Please specify either number of bytes or key spec.")


def check_environment(function, variables):
    """Refuses the variables of a function that Lambda cannot store."""
    measured = json.dumps(variables, separators=(",", ":"), ensure_ascii=False)
    if len(measured.encode()) > ENVIRONMENT_BYTES_MAX:
        raise Refusal("InvalidParameterValueException",
                      f"Lambda was unable to configure the environment variables of {function} because they have "
                      "exceeded the 4KB limit.")


def is_too_large(response):
    """Whether Lambda would replace a function's response by an error because of its size as JSON text."""
    if not isinstance(response, bytes):
        text = json.dumps(response, separators=(",", ":"), ensure_ascii=False, default=str)
        response = text.encode("utf-8", "surrogatepass")
    return len(response) > RESPONSE_BYTES_MAX


class EncryptedKeys:
    """Which key encrypted which text. KMS decrypts only what it has encrypted, unchanged, and with the key that the
    request names: https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html"""

    def __init__(self):
        self._keys = {}

    def encrypted(self, text, key):
        """Records that `key` encrypted `text`."""
        self._keys[text] = key

    def check(self, text, key):
        """Refuses to decrypt `text` with another key than its own, or if no key has encrypted it."""
        own = self._keys.get(text)
        if own is None:
            raise Refusal("InvalidCiphertextException", "")
        if own != key:
            raise Refusal("IncorrectKeyException", "The key ID in the request does not identify a key that can perform "
                                                   "this operation.")


class Throttle:
    """Refuses every `every`th call, and accepts its repetition. An SDK repeats a throttled call, so no caller fails
    that has as many tries as the SDK's default. 0 refuses none."""

    def __init__(self, every):
        self.every = every
        self._calls = 0
        self._refused = set()

    def refuses(self, call):
        """Whether this call, given as any hashable value, is refused now."""
        if self.every <= 0:
            return False
        if call in self._refused:
            self._refused.remove(call)
            return False
        self._calls += 1
        if self._calls % self.every:
            return False
        self._refused.add(call)
        return True


def divide_batch(request):
    """Divides a batch of reads: the request that DynamoDB processes, and the keys that it leaves unprocessed. `None`
    if the batch is too small to be divided."""
    read, left = {}, {}
    for table, wanted in (request.get("RequestItems") or {}).items():
        keys = wanted.get("Keys") or []
        half = (len(keys) + 1) // 2
        read[table] = {**wanted, "Keys": keys[:half]}
        if keys[half:]:
            left[table] = {**wanted, "Keys": keys[half:]}
    return ({**request, "RequestItems": read}, left) if left else None


class Visibility:
    """Which versions of secrets a reader does not see yet. Secrets Manager promises no read-after-write."""

    def __init__(self, delay, clock=time.monotonic):
        self.delay = delay
        self._clock = clock
        # The versions of each secret in the order of their writes, with the instant from which each is visible.
        self._written = {}

    def wrote(self, secret, version, previous):
        """Records that `version` was written when `previous`, if any, was the current one."""
        versions = self._written.setdefault(secret, [(previous, self._clock())] if previous else [])
        versions[:] = [known for known in versions if known[0] != version]
        versions.append((version, self._clock() + self.delay))
        visible = [known for known in versions if known[1] <= self._clock()]
        for known in visible[:-1]:
            versions.remove(known)

    def is_hidden(self, secret, version):
        """Whether a reader does not see this version yet."""
        return any(known == version and at > self._clock() for known, at in self._written.get(secret, []))

    def newest_visible(self, secret):
        """The newest version that a reader sees; `None` if it sees none."""
        visible = [known for known, at in self._written.get(secret, []) if at <= self._clock()]
        return visible[-1] if visible else None

    def forget(self, secret):
        """Forgets a deleted secret."""
        self._written.pop(secret, None)


class Deletions:
    """Which names of deleted secrets cannot be used again yet. Secrets Manager deletes in the background, also without
    a recovery window:
    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DeleteSecret.html"""

    def __init__(self, delay, clock=time.monotonic):
        self.delay = delay
        self._clock = clock
        self._free_at = {}

    def deleted(self, secret):
        """Records that a secret was deleted just now."""
        self._free_at[secret] = self._clock() + self.delay

    def check(self, secret):
        """Refuses to create or to write a secret whose predecessor of the same name is still being deleted."""
        if self._free_at.get(secret, 0) > self._clock():
            raise Refusal("InvalidRequestException", "You can't create this secret because a secret with this name is "
                                                     "already scheduled for deletion.")
