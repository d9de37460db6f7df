"""Tests of what the local AWS refuses, as AWS does: each rule by itself, and on the local AWS.

`cargo verify --only loops` runs them with the Python of the local AWS.
"""

import json
import unittest
from datetime import datetime, timedelta, timezone

from botocore.exceptions import ClientError

from local_aws_case import LocalAwsCase, package_bootstrap
from strict_aws import RETRY_AFTER
from strict_rules import (
    ENVIRONMENT_BYTES_MAX, MESSAGE_BYTES_MAX, RESPONSE_BYTES_MAX, SECRET_BYTES_MAX, Deletions, Refusal, Throttle,
    Visibility, check_attribute, check_batch, check_environment, check_message, check_schedule, check_schedule_name,
    check_secret, check_secret_name, divide_batch, is_too_large,
)

# The ids of the versions of secrets.
FIRST, SECOND = "00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"
NOON = 1_800_000_000 - 1_800_000_000 % 86_400 + 43_200


def text(value):
    return {"DataType": "String", "StringValue": value}


class Rules(unittest.TestCase):
    def assert_refused(self, code, check, *values):
        with self.assertRaises(Refusal) as refused:
            check(*values)
        self.assertEqual(refused.exception.code, code)

    def test_an_attribute_of_a_message_has_only_characters_of_xml(self):
        for value in ["plain", "tab\tand\nlines\r", "é 漢 \U0001f600", "\ufffd"]:
            check_attribute("reason", text(value))
        for value in ["\x00", "a\x01b", "\x1f", "\ud800", "\ufffe", "\uffff"]:
            self.assert_refused("InvalidMessageContents", check_attribute, "reason", text(value))

    def test_a_body_has_only_characters_of_xml_which_json_can_escape(self):
        for name in ["é 漢 \U0001f600", "\u200f\ufffd\U0001fffe"]:
            check_message({"MessageBody": json.dumps({"name": name}, ensure_ascii=False)})
        for name in ["\ufffe", "a\uffff"]:
            body = json.dumps({"name": name}, ensure_ascii=False)
            self.assert_refused("InvalidMessageContents", check_message, {"MessageBody": body})
            check_message({"MessageBody": json.dumps({"name": name})})

    def test_an_attribute_of_a_message_has_a_name_a_type_and_a_value(self):
        for name in ["", "with space", ".dot", "dot.", "two..dots", "AWS.trace", "amazon.x", "é", "x" * 257]:
            self.assert_refused("InvalidParameterValue", check_attribute, name, text("value"))
        for attribute in [text(""), {"DataType": "String"}, {"DataType": "Text", "StringValue": "x"},
                          {"StringValue": "x"}, {"DataType": "Binary", "StringValue": "x"}]:
            self.assert_refused("InvalidParameterValue", check_attribute, "reason", attribute)
        check_attribute("x" * 256, {"DataType": "Number.int", "StringValue": "7"})

    def test_a_message_has_ten_attributes_at_most(self):
        attributes = {f"a{number}": text("x") for number in range(10)}
        check_message({"MessageBody": "x", "MessageAttributes": attributes})
        attributes["one-more"] = text("x")
        self.assert_refused("InvalidParameterValue", check_message,
                            {"MessageBody": "x", "MessageAttributes": attributes})

    def test_the_attributes_count_towards_the_size_of_a_message(self):
        attribute = {"a": text("x")}
        most = MESSAGE_BYTES_MAX - len("a" + "String" + "x")
        check_message({"MessageBody": "x" * most, "MessageAttributes": attribute})
        self.assert_refused("InvalidParameterValue", check_message,
                            {"MessageBody": "x" * (most + 1), "MessageAttributes": attribute})

    def test_the_messages_of_a_batch_count_together(self):
        half = {"MessageBody": "x" * (MESSAGE_BYTES_MAX // 2)}
        check_batch([half, half])
        self.assert_refused("BatchRequestTooLong", check_batch, [half, half, {"MessageBody": "x"}])

    def test_a_message_waits_a_quarter_of_an_hour_at_most(self):
        check_message({"MessageBody": "x", "DelaySeconds": 900})
        for delay in [901, -1]:
            self.assert_refused("InvalidParameterValue", check_message, {"MessageBody": "x", "DelaySeconds": delay})

    def test_a_group_is_printable_and_short(self):
        check_message({"MessageBody": "x", "MessageGroupId": "acc_1/~!", "MessageDeduplicationId": "x" * 128})
        for value in ["", "with space", "é", "x" * 129]:
            for parameter in ["MessageGroupId", "MessageDeduplicationId"]:
                self.assert_refused("InvalidParameterValue", check_message, {"MessageBody": "x", parameter: value})

    def test_a_one_time_schedule_is_not_in_the_past(self):
        at = datetime.fromtimestamp(NOON, timezone.utc).strftime("at(%Y-%m-%dT%H:%M:%S)")
        check_schedule({"ScheduleExpression": at}, NOON)
        check_schedule({"ScheduleExpression": "rate(5 minutes)"}, NOON)
        self.assert_refused("ValidationException", check_schedule, {"ScheduleExpression": at}, NOON + 1)
        for wrong in ["at(2027-02-30T00:00:00)", "at(2027-01-01)", "at(2027-01-01T00:00:00Z)", "at()"]:
            self.assert_refused("ValidationException", check_schedule, {"ScheduleExpression": wrong}, NOON)

    def test_a_schedule_has_a_short_name(self):
        for name in ["wake-0a", "A_b.c-1", "x" * 64]:
            check_schedule_name(name)
        for name in ["", "x" * 65, "with space", "a/b", "é"]:
            self.assert_refused("ValidationException", check_schedule_name, name)

    def test_a_secret_has_64_kilobytes_and_a_token_of_the_length_of_a_uuid(self):
        check_secret({"SecretString": "x" * SECRET_BYTES_MAX, "ClientRequestToken": "x" * 36})
        for value in [{"SecretString": "x" * (SECRET_BYTES_MAX + 1)}, {"ClientRequestToken": "short"}]:
            self.assert_refused("ValidationException", check_secret, value)

    def test_a_secret_has_a_name_of_letters_digits_and_a_few_signs(self):
        for name in ["servicecortex-xero/production/grant/3f0c-1", "a", "_+=.@", "x" * 512]:
            check_secret_name(name)
        for name in ["", "with space", "é", "a:b", "x" * 513]:
            self.assert_refused("ValidationException", check_secret_name, name)

    def test_half_of_a_batch_of_reads_can_be_left_unprocessed(self):
        keys = [{"pk": {"S": str(number)}} for number in range(3)]
        request = {"RequestItems": {"rows": {"Keys": keys, "ConsistentRead": True}}}
        read, left = divide_batch(request)
        self.assertEqual(read, {"RequestItems": {"rows": {"Keys": keys[:2], "ConsistentRead": True}}})
        self.assertEqual(left, {"rows": {"Keys": keys[2:], "ConsistentRead": True}})
        self.assertIsNone(divide_batch({"RequestItems": {"rows": {"Keys": keys[:1]}}}))
        self.assertIsNone(divide_batch({}))

    def test_the_variables_of_a_function_have_four_kilobytes(self):
        most = ENVIRONMENT_BYTES_MAX - len('{"A":""}')
        check_environment("push", {"A": "x" * most})
        self.assert_refused("InvalidParameterValueException", check_environment, "push", {"A": "x" * (most + 1)})

    def test_a_response_has_six_megabytes(self):
        most = RESPONSE_BYTES_MAX - len('""')
        for response in ["x" * most, b"x" * RESPONSE_BYTES_MAX, {"body": "x"}, None]:
            self.assertFalse(is_too_large(response))
        for response in ["x" * (most + 1), "é" * most, b"x" * (RESPONSE_BYTES_MAX + 1), {"body": "x" * most}]:
            self.assertTrue(is_too_large(response))

    def test_each_nth_call_is_throttled_and_its_repetition_accepted(self):
        throttle = Throttle(3)
        refused = [throttle.refuses(call) for call in "abccdef"]
        self.assertEqual(refused, [False, False, True, False, False, False, True])
        self.assertFalse(any(Throttle(0).refuses(call) for call in "abc"))

    def test_a_new_version_of_a_secret_becomes_visible_later(self):
        now = [0.0]
        seen = Visibility(5, lambda: now[0])
        seen.wrote("secret", "first", None)
        self.assertTrue(seen.is_hidden("secret", "first"))
        self.assertIsNone(seen.newest_visible("secret"))
        now[0] = 5
        self.assertFalse(seen.is_hidden("secret", "first"))
        seen.wrote("secret", "second", "first")
        self.assertEqual(seen.newest_visible("secret"), "first")
        now[0] = 10
        self.assertEqual(seen.newest_visible("secret"), "second")
        seen.forget("secret")
        self.assertIsNone(seen.newest_visible("secret"))

    def test_the_name_of_a_deleted_secret_is_free_later(self):
        now = [0.0]
        deletions = Deletions(5, lambda: now[0])
        deletions.check("secret")
        deletions.deleted("secret")
        self.assert_refused("InvalidRequestException", deletions.check, "secret")
        deletions.check("another")
        now[0] = 5
        deletions.check("secret")

    def test_a_version_that_the_rules_did_not_see_written_stays_visible(self):
        seen = Visibility(5, lambda: 0)
        seen.wrote("secret", "second", "operators")
        self.assertEqual(seen.newest_visible("secret"), "operators")
        self.assertFalse(seen.is_hidden("secret", "operators"))


LARGE = """#!{python}
import json, os, urllib.request
api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"
while True:
    with urllib.request.urlopen(api + "next") as answer:
        event, id = json.load(answer), answer.headers["Lambda-Runtime-Aws-Request-Id"]
    urllib.request.urlopen(api + id + "/response", data=json.dumps("x" * event["size"]).encode()).read()
"""

TEMPLATE = """
Resources:
  Function:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: {name}
      Runtime: provided.al2023
      Handler: bootstrap
      Code:
        S3Bucket: code
        S3Key: large.zip
      Role: arn:aws:iam::000000000000:role/any
      Timeout: 20
      Environment:
        Variables:
          TEXT: {text}
"""


class StrictCase(LocalAwsCase):
    def assert_refused(self, code, call, **parameters):
        with self.assertRaises(ClientError) as refused:
            call(**parameters)
        self.assertEqual(refused.exception.response["Error"]["Code"], code, refused.exception)
        return refused.exception.response["ResponseMetadata"]["HTTPHeaders"]


class OnTheLocalAws(StrictCase):
    settings = {"STRICT_TABLE_THROTTLED_EVERY": "4", "STRICT_SECRETS_THROTTLED_EVERY": "0",
                "STRICT_BATCH_DIVIDED_EVERY": "1",
                "STRICT_SECRETS_VISIBLE_AFTER": "0.5", "STRICT_SECRETS_DELETED_AFTER": "0.5"}

    def test_messages(self):
        sqs = self.client("sqs")
        queue = sqs.create_queue(QueueName="plain")["QueueUrl"]
        attributes = {"reason": text("a\x01b")}
        self.assert_refused("InvalidMessageContents", sqs.send_message, QueueUrl=queue, MessageBody="x",
                            MessageAttributes=attributes)
        entries = [{"Id": "bad", "MessageBody": "x", "MessageAttributes": attributes},
                   {"Id": "good", "MessageBody": "x", "MessageAttributes": {"reason": text("fine")}}]
        sent = sqs.send_message_batch(QueueUrl=queue, Entries=entries)
        self.assertEqual([each["Id"] for each in sent["Successful"]], ["good"])
        self.assertEqual([(each["Id"], each["Code"]) for each in sent["Failed"]], [("bad", "InvalidMessageContents")])
        too_many = [{"Id": str(number), "MessageBody": "x"} for number in range(11)]
        with self.assertRaises(sqs.exceptions.TooManyEntriesInBatchRequest):
            sqs.send_message_batch(QueueUrl=queue, Entries=too_many)
        half = "x" * (MESSAGE_BYTES_MAX // 2)
        too_long = [{"Id": str(number), "MessageBody": half, "MessageAttributes": {"a": text("x")}}
                    for number in range(2)]
        with self.assertRaises(sqs.exceptions.BatchRequestTooLong):
            sqs.send_message_batch(QueueUrl=queue, Entries=too_long)
        with self.assertRaises(sqs.exceptions.BatchEntryIdsNotDistinct):
            sqs.send_message_batch(QueueUrl=queue, Entries=[entries[1], entries[1]])
        with self.assertRaises(sqs.exceptions.InvalidBatchEntryId):
            sqs.send_message_batch(QueueUrl=queue, Entries=[{**entries[1], "Id": "with space"}])
        self.assert_refused("MissingParameter", sqs.send_message, QueueUrl=queue, MessageBody="")

    def test_schedules(self):
        scheduler = self.client("scheduler")
        target = {"Arn": "arn:aws:sqs:eu-west-2:000000000000:plain", "RoleArn": "arn:aws:iam::000000000000:role/any"}

        def schedule(name, seconds):
            at = datetime.now(timezone.utc) + timedelta(seconds=seconds)
            return {"Name": name, "ScheduleExpression": at.strftime("at(%Y-%m-%dT%H:%M:%S)"), "Target": target,
                    "FlexibleTimeWindow": {"Mode": "OFF"}}

        scheduler.create_schedule(**schedule("later", 60))
        self.assert_refused("ValidationException", scheduler.create_schedule, **schedule("earlier", -5))
        self.assert_refused("ValidationException", scheduler.update_schedule, **schedule("later", -5))
        self.assert_refused("ValidationException", scheduler.create_schedule, **schedule("x" * 65, 60))

    def test_the_table(self):
        table = self.client("dynamodb")
        table.create_table(TableName="rows", BillingMode="PAY_PER_REQUEST",
                           KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
                           AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}])

        def item(key, size=1):
            return {"pk": {"S": str(key)}, "text": {"S": "x" * size}}

        def puts(count, size):
            return [{"Put": {"TableName": "rows", "Item": item(number, size)}} for number in range(count)]

        refused = "ValidationException"
        self.assert_refused(refused, table.put_item, TableName="rows", Item=item(1, 400 * 1024))
        self.assert_refused(refused, table.transact_write_items, TransactItems=puts(101, 1))
        self.assert_refused(refused, table.transact_write_items, TransactItems=puts(11, 390 * 1024))
        self.assert_refused(refused, table.batch_write_item, RequestItems={
            "rows": [{"PutRequest": {"Item": item(number)}} for number in range(26)]})
        self.assert_refused(refused, table.batch_get_item, RequestItems={
            "rows": {"Keys": [{"pk": {"S": str(number)}} for number in range(101)]}})
        table.transact_write_items(TransactItems=puts(100, 1))

        function = self.client("dynamodb", "FUNCTION")
        for key in range(3):
            function.put_item(TableName="rows", Item=item(key))
        headers = self.assert_refused("ThrottlingException", function.put_item, TableName="rows", Item=item(3))
        self.assertEqual(headers.get("x-amz-retry-after"), RETRY_AFTER)
        function.put_item(TableName="rows", Item=item(3))
        for key in range(10):
            table.put_item(TableName="rows", Item=item(key))
        # Half of a batch is left.
        keys = [{"pk": {"S": str(number)}} for number in range(4)]
        batch = function.batch_get_item(RequestItems={"rows": {"Keys": keys}})
        self.assertEqual(len(batch["Responses"]["rows"]), 2)
        self.assertEqual(batch["UnprocessedKeys"]["rows"]["Keys"], keys[2:])
        whole = table.batch_get_item(RequestItems={"rows": {"Keys": keys}})
        self.assertEqual((len(whole["Responses"]["rows"]), whole["UnprocessedKeys"]), (4, {}))
        duplicate = {"rows": {"Keys": [keys[0], keys[0]]}}
        self.assert_refused(refused, table.batch_get_item, RequestItems=duplicate)
        twice = [puts(1, 1)[0], puts(1, 1)[0]]
        self.assert_refused(refused, table.transact_write_items, TransactItems=twice)
        self.assert_refused(refused, table.put_item, TableName="rows", Item=item(""))
        self.assert_refused(refused, table.put_item, TableName="rows", Item=item("x" * 2_049))
        for key in range(6):
            table.put_item(TableName="rows", Item=item(f"large-{key}", 300 * 1024))
        self.assertIn("LastEvaluatedKey", table.scan(TableName="rows"))

    def test_secrets_are_visible_and_their_names_free_after_some_time(self):
        operator, function = self.client("secretsmanager"), self.client("secretsmanager", "FUNCTION")
        self.assert_refused("ValidationException", operator.create_secret, Name="with space", SecretString="one")
        created = function.create_secret(Name="grant", SecretString="one", ClientRequestToken=FIRST)
        self.assertEqual(created["VersionId"], FIRST)
        self.wait_for_secret(function, "one", VersionId=FIRST)
        function.put_secret_value(SecretId="grant", SecretString="two", ClientRequestToken=SECOND)
        self.wait_for_secret(function, "two")
        function.delete_secret(SecretId="grant", ForceDeleteWithoutRecovery=True)
        again = {"Name": "grant", "SecretString": "four"}
        self.wait(lambda: self.creates(function, **again), "the name of the deleted secret")

    def creates(self, client, **secret):
        try:
            return client.create_secret(**secret)
        except client.exceptions.InvalidRequestException:
            return None

    def wait_for_secret(self, client, value, **version):
        def is_visible():
            try:
                return client.get_secret_value(SecretId="grant", **version)["SecretString"] == value
            except client.exceptions.ResourceNotFoundException:
                return False

        self.wait(is_visible, "the new value of the secret")

    def stack_status(self, name, variable):
        stacks = self.client("cloudformation")
        stacks.create_stack(StackName=name, TemplateBody=TEMPLATE.format(name=name, text=variable),
                            Capabilities=["CAPABILITY_IAM"])

        def ended():
            status = stacks.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
            return not status.endswith("_IN_PROGRESS") and status

        return self.wait(ended, "the stack")

    def test_functions(self):
        s3 = self.client("s3")
        s3.create_bucket(Bucket="code", CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
        s3.put_object(Bucket="code", Key="large.zip", Body=package_bootstrap(LARGE))
        self.assertEqual(self.stack_status("answering", "short"), "CREATE_COMPLETE")
        self.assertIn(self.stack_status("crowded", "x" * ENVIRONMENT_BYTES_MAX), ["CREATE_FAILED", "ROLLBACK_COMPLETE"])
        functions = self.client("lambda")
        small = functions.invoke(FunctionName="answering", Payload=b'{"size": 1000}')
        self.assertNotIn("FunctionError", small)
        large = functions.invoke(FunctionName="answering", Payload=b'{"size": %d}' % RESPONSE_BYTES_MAX)
        self.assertEqual(large["FunctionError"], "Unhandled")
        self.assertIn(b"Function.ResponseSizeTooLarge", large["Payload"].read())


class SlowSecrets(StrictCase):
    # No test takes so long.
    settings = {"STRICT_SECRETS_THROTTLED_EVERY": "0", "STRICT_SECRETS_VISIBLE_AFTER": "86400",
                "STRICT_SECRETS_DELETED_AFTER": "86400"}

    def test_what_a_function_writes_is_not_visible_at_once_and_what_an_operator_writes_is(self):
        operator, function = self.client("secretsmanager"), self.client("secretsmanager", "FUNCTION")
        function.create_secret(Name="grant", SecretString="one", ClientRequestToken=FIRST)
        missing = "ResourceNotFoundException"
        self.assert_refused(missing, function.get_secret_value, SecretId="grant")
        self.assert_refused(missing, function.get_secret_value, SecretId="grant", VersionId=FIRST)
        self.assertEqual(operator.get_secret_value(SecretId="grant")["SecretString"], "one")
        operator.create_secret(Name="app", SecretString="one")
        self.assertEqual(function.get_secret_value(SecretId="app")["SecretString"], "one")
        for _ in range(2):
            function.put_secret_value(SecretId="app", SecretString="two", ClientRequestToken=SECOND)
            self.assertEqual(function.get_secret_value(SecretId="app")["SecretString"], "one")
        self.assert_refused("ResourceExistsException", function.put_secret_value, SecretId="app",
                            SecretString="three", ClientRequestToken=SECOND)

    def test_the_name_of_a_deleted_secret_is_in_use_until_it_is_gone(self):
        function = self.client("secretsmanager", "FUNCTION")
        function.create_secret(Name="grant", SecretString="one")
        function.delete_secret(SecretId="grant", ForceDeleteWithoutRecovery=True)
        self.assert_refused("ResourceNotFoundException", function.get_secret_value, SecretId="grant")
        again = {"SecretString": "four"}
        self.assert_refused("InvalidRequestException", function.put_secret_value, SecretId="grant", **again)
        self.assert_refused("InvalidRequestException", function.create_secret, Name="grant", **again)


if __name__ == "__main__":
    unittest.main()
