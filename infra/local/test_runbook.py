"""The product's template on the local AWS: steps of the runbook and of the deployment guide, and the permissions of the
roles. The functions are replaced: the engine's part of each recovery is tested in `tests/it/recovery.rs`."""

import base64
import json
import re
import sys
import unittest
import urllib.error
import urllib.request
from datetime import datetime, timezone

from botocore.exceptions import ClientError

from guide_commands import read_commands, read_request
from product_case import ADDRESS, BUCKET, PREFIX, ROOT, ProductCase

RESTORED = f"{PREFIX}-restored-2026-11-29"
KINDS = ["contact", "invoice", "credit-note", "payment"]


class Runbook(ProductCase):
    def variables(self, function):
        """The variables of the version in use."""
        name = f"{PREFIX}-{function}"
        return self.functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]

    def sources(self):
        """The event sources that the commands of the runbook name."""
        names = [f"{PREFIX}-{kind}-push:live" for kind in KINDS] + [f"{PREFIX}-payment-poll"]
        listed = [self.functions.list_event_source_mappings(FunctionName=name)["EventSourceMappings"] for name in names]
        return [source for sources in listed for source in sources]

    def switch(self, enabled):
        for source in self.sources():
            self.functions.update_event_source_mapping(UUID=source["UUID"], Enabled=enabled)
        wanted = "Enabled" if enabled else "Disabled"
        self.wait(lambda: all(source["State"] == wanted for source in self.sources()), f"sources that are {wanted}")

    def test_an_alias_uses_the_new_value_of_a_parameter_and_nothing_else_changes_its_version(self):
        def version():
            return self.functions.get_alias(FunctionName=f"{PREFIX}-invoice-push", Name="live")["FunctionVersion"]

        self.assertEqual(version(), "1")
        for number, change in enumerate([{"LogLevel": "debug"}, {"LookFirst": "yes"}, {"LookFirst": "no"}], start=2):
            self.update(**change)
            self.assertEqual(version(), str(number), change)
            self.assertEqual(self.variables("invoice-push:live")["LOOK_FIRST"], self.parameters.get("LookFirst", "no"))
        self.update(Schedules="DISABLED")
        self.assertEqual(version(), "4")

    def test_the_table_is_restored_and_every_function_uses_it(self):
        table = self.outputs["TableName"]
        rows = self.client("dynamodb")
        key = {"pk": {"S": "A#acc_1"}, "sk": {"S": "CONNECTION"}}
        rows.put_item(TableName=table, Item=key | {"version": {"N": "1"}, "record": {"S": "{}"}})

        # Step 1: nothing works on the table any more, and messages wait.
        self.update(Canary="no", Schedules="DISABLED", LookFirst="yes")
        self.assertEqual(len(self.sources()), 9)
        self.switch(False)
        for function in ["settings-api", "oauth-callback"]:
            self.functions.put_function_concurrency(FunctionName=f"{PREFIX}-{function}", ReservedConcurrentExecutions=0)
        queues, queue = self.client("sqs"), self.outputs["InvoiceQueueUrl"]
        queues.send_message(QueueUrl=queue, MessageBody="{}", MessageGroupId="acc_1", MessageDeduplicationId="m_1")

        # Step 2: the copy has what the functions and the budget need, after the four commands.
        rows.restore_table_to_point_in_time(SourceTableName=table, TargetTableName=RESTORED,
                                            RestoreDateTime=datetime.now(timezone.utc))
        describe = lambda: rows.describe_table(TableName=RESTORED)["Table"]
        self.wait(lambda: describe()["TableStatus"] == "ACTIVE", "the restored table")
        indexes = {index["IndexName"] for index in describe()["GlobalSecondaryIndexes"]}
        self.assertEqual(indexes, {"due", "open", "attention"})
        expiry = {"Enabled": True, "AttributeName": "expires_at"}
        rows.update_time_to_live(TableName=RESTORED, TimeToLiveSpecification=expiry)
        recovery = {"PointInTimeRecoveryEnabled": True}
        rows.update_continuous_backups(TableName=RESTORED, PointInTimeRecoverySpecification=recovery)
        rows.update_table(TableName=RESTORED, DeletionProtectionEnabled=True)
        tag = {"Key": "Application", "Value": "servicecortex-xero/local"}
        rows.tag_resource(ResourceArn=describe()["TableArn"], Tags=[tag])
        self.assertIn(tag, rows.list_tags_of_resource(ResourceArn=describe()["TableArn"])["Tags"])
        self.assertIn("Item", rows.get_item(TableName=RESTORED, Key=key))

        # Step 3: all functions use it and look first, also those behind an alias.
        self.update(RestoredTable=RESTORED)
        aliased = [f"{kind}-push:live" for kind in KINDS] + ["settings-api:live", "oauth-callback:live"]
        for function in [*aliased, "payment-poll", "pages", "sweep", "keep-alive", "health-check", "log-cleanup"]:
            variables = self.variables(function)
            self.assertEqual((variables["TABLE_NAME"], variables["LOOK_FIRST"]), (RESTORED, "yes"), function)
        self.assertEqual(self.outputs["TableName"], RESTORED)
        counted = queues.get_queue_attributes(QueueUrl=queue, AttributeNames=["ApproximateNumberOfMessages"])
        self.assertEqual(counted["Attributes"]["ApproximateNumberOfMessages"], "1")

        # Steps 4 and 5: what waited is processed.
        self.switch(True)
        for function in ["settings-api", "oauth-callback"]:
            self.functions.delete_function_concurrency(FunctionName=f"{PREFIX}-{function}")
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        self.wait(lambda: set(queues.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"].values())
                  == {"0"}, "the message to be processed")
        self.update(Schedules="ENABLED")
        self.update(LookFirst="no")
        self.assertEqual(self.variables("invoice-push:live")["LOOK_FIRST"], "no")
        self.assertEqual(self.variables("invoice-push:live")["TABLE_NAME"], RESTORED)

    def test_a_user_of_the_trial_issuer_reaches_the_api_with_the_commands_of_the_guide(self):
        self.update(TrialIssuer="yes", JwtIssuer="", JwtAudience="")
        values = {f"<{name}>": self.outputs[name] for name in ("TrialUserPoolId", "TrialClientId")}
        values["<16 characters>"] = "Sixteen-letters-1"
        guide = (ROOT / "infra/deploying.md").read_text()
        commands = [command for command in read_commands(guide) if command.startswith("aws cognito-idp ")]
        self.assertEqual(len(commands), 3)
        for command in commands:
            for placeholder, value in values.items():
                command = command.replace(placeholder, value)
            service, operation, parameters = read_request(command)
            answer = getattr(self.client(service), operation)(**parameters)
        token = answer["AuthenticationResult"]["IdToken"]
        claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
        self.assertEqual([claims[name] for name in ("token_use", "account_id", "role")], ["id", "acc_trial", "Owner"])
        self.assertEqual([self.status(None), self.status(token)], [401, 200])

        # The end of the trial.
        self.update(TrialIssuer="no", JwtIssuer=ADDRESS, JwtAudience="crm")
        self.assertEqual(self.status(token), 401)
        self.assertEqual(self.client("cognito-idp").list_user_pools(MaxResults=1)["UserPools"], [])

    def status(self, token):
        """The status of a request to the API."""
        headers = {"Host": f"{self.outputs['ApiId']}.execute-api.localhost"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        try:
            request = urllib.request.Request(f"{self.endpoint}/v1/connection", headers=headers)
            return urllib.request.urlopen(request).status
        except urllib.error.HTTPError as error:
            return error.code

    def test_parameters_that_do_not_fit_together_are_refused_by_name(self):
        staging, production = {"Stage": "staging"}, {"Stage": "production"}
        times = {60: 360, 120: 720, 180: 1080, 300: 1800, 600: 3600, 900: 5400}
        refused = {
            "ProductionHasAnAlarmAddress": production,
            "ProductionHasNoTrialIssuer": production | {"AlarmEmail": "alarms@crm.example", "TrialIssuer": "yes"},
            "TokensHaveAnIssuer": staging | {"JwtIssuer": ""},
            "DefaultEndpointHasAReplacement": staging | {"DefaultEndpoint": "DISABLED", "PublicUrl": ""},
            "CanaryHasAlarms": {"Canary": "yes"},
        }
        fitting = [{}, staging | {"DefaultEndpoint": "DISABLED"}]
        # The next shorter time that the parameter accepts is too short.
        for (timeout, hidden), shorter in zip(times.items(), [60, *times.values()]):
            timed = staging | {"PushTimeoutSeconds": str(timeout)}
            fitting.append(timed | {"PushVisibilitySeconds": str(hidden)})
            refused[f"VisibilityFitsTimeoutOf{timeout}"] = timed | {"PushVisibilitySeconds": str(shorter)}
        rules = (ROOT / "template.yaml").read_text().partition("\nRules:\n")[2]
        rules = re.split(r"^[A-Z]\w+:$", rules, maxsplit=1, flags=re.MULTILINE)[0]
        self.assertEqual(set(re.findall(r"^  (\w+):$", rules, re.MULTILINE)), set(refused))
        for rule, parameters in refused.items():
            with self.subTest(rule=rule), self.assertRaisesRegex(ClientError, f"rule {rule} failed: [A-Z]"):
                self.plan(rule, parameters)
        for number, parameters in enumerate(fitting):
            with self.subTest(parameters=parameters):
                self.plan(f"fitting-{number}", parameters)

    def plan(self, name, parameters):
        """A change set that creates a stack with these parameters instead of the usual ones."""
        timeouts = {"PushTimeoutSeconds": "120", "PushVisibilitySeconds": "720"} if "Stage" in parameters else {}
        given = [{"ParameterKey": key, "ParameterValue": value}
                 for key, value in (self.parameters | timeouts | parameters).items()]
        self.stacks.create_change_set(StackName=name, ChangeSetName="plan", ChangeSetType="CREATE",
                                      TemplateURL=f"{self.endpoint}/{BUCKET}/template.yaml", Parameters=given,
                                      Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"])


# Makes the calls of an event, and answers with the codes of their errors.
CALLER = f"#!{sys.executable}" + r"""
import functools, json, os, urllib.request
import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

@functools.cache
def client(service):
    return boto3.client(service, config=Config(retries={"max_attempts": 0}))

api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"

def make(service, operation, parameters):
    try:
        getattr(client(service), operation)(**parameters)
    except ClientError as error:
        return error.response["Error"]["Code"]

while True:
    with urllib.request.urlopen(api + "next") as answer:
        event, id = json.load(answer), answer.headers["Lambda-Runtime-Aws-Request-Id"]
    codes = {name: make(*call) for name, call in event.get("calls", {}).items()}
    urllib.request.urlopen(api + id + "/response", data=json.dumps(codes).encode()).read()
"""

ROWS = {"read a row", "change rows", "query rows", "read a row of a restored table"}
BATCHES = {"read many rows", "check a row"}
XERO = {"read the app secret", "read tokens", "write tokens"}
WAKE_UPS = {"wake up invoices", "wake up credit notes", "wake up payments"}
PUSH = ROWS | BATCHES | XERO | WAKE_UPS | {"wake up contacts", "schedule a wake-up", "delete tokens", "send an event"}
# What each function may do. The rest of the calls is denied to it, and some are denied to all.
ALLOWED = {
    "contact-push": PUSH | {"query due rows"},
    "invoice-push": PUSH,
    "credit-note-push": PUSH,
    "payment-push": PUSH,
    "payment-poll": ROWS | BATCHES | XERO | WAKE_UPS | {"wake up contacts", "query due rows", "query open rows",
                                                        "query failing rows", "delete tokens", "send an event",
                                                        "send a chunk"},
    "settings-api": PUSH | {"query due rows", "query failing rows", "create tokens"},
    "oauth-callback": ROWS - {"query rows"} | {"read the app secret"},
    "pages": set(),
    "sweep": ROWS | XERO | WAKE_UPS | {"read many rows", "wake up contacts", "query due rows", "delete tokens",
                                       "send an event"},
    "keep-alive": ROWS | XERO | {"query due rows", "send an event"},
    "health-check": ROWS | XERO | {"query due rows", "delete tokens", "send an event"},
    "log-cleanup": ROWS | {"query due rows"},
}


class Permissions(ProductCase):
    """The local AWS evaluates policies as IAM does: actions, resources and conditions, also those of queues. It requires
    no `iam:PassRole` for a schedule; `tests/template/permissions.rs` does."""

    settings = {"AUTH": "true", "STRICT_TABLE_THROTTLED_EVERY": "0", "STRICT_SECRETS_THROTTLED_EVERY": "0"}
    stand_in = CALLER

    def variable(self, name):
        """A variable that all functions have."""
        configuration = self.functions.get_function_configuration(FunctionName=f"{PREFIX}-sweep")
        return configuration["Environment"]["Variables"][name]

    def calls(self):
        """A call of each kind that a function makes, and some that none does."""
        table, secrets = self.outputs["TableName"], "servicecortex-xero/local"
        key = {"pk": {"S": "A#acc_1"}, "sk": {"S": "CONNECTION"}}
        condition = {"Key": key, "ConditionExpression": "attribute_not_exists(pk)"}

        def query(index=None):
            named = {"IndexName": index} if index else {}
            hash = f"{index}_pk" if index else "pk"
            return ["dynamodb", "query", named | {"TableName": table, "KeyConditionExpression": f"{hash} = :value",
                                                  "ExpressionAttributeValues": {":value": {"S": "A#acc_1"}}}]

        def write(*parts):
            items = [{part: {"TableName": table} | content} for part, content in parts]
            return ["dynamodb", "transact_write_items", {"TransactItems": items}]

        def send(queue):
            url = self.client("sqs").get_queue_url(QueueName=f"{PREFIX}-{queue}")["QueueUrl"]
            group = {"MessageGroupId": "acc_1", "MessageDeduplicationId": "m_1"} if queue.endswith(".fifo") else {}
            return ["sqs", "send_message", {"QueueUrl": url, "MessageBody": "{}"} | group]

        def secret(operation, name, **parameters):
            parameter = "Name" if operation == "create_secret" else "SecretId"
            return ["secretsmanager", operation, {parameter: f"{secrets}/{name}"} | parameters]

        target = {"Arn": self.outputs["InvoiceQueueArn"], "RoleArn": self.variable("SCHEDULE_ROLE_ARN")}
        schedule = {"Name": "wake-1", "ScheduleExpression": "at(2099-01-01T00:00:00)", "Target": target,
                    "FlexibleTimeWindow": {"Mode": "OFF"}}
        return {
            "read a row": ["dynamodb", "get_item", {"TableName": table, "Key": key}],
            "read a row of a restored table": ["dynamodb", "get_item", {"TableName": RESTORED, "Key": key}],
            "read a row of another table": ["dynamodb", "get_item", {"TableName": f"{PREFIX}-other", "Key": key}],
            "read many rows": ["dynamodb", "batch_get_item", {"RequestItems": {table: {"Keys": [key]}}}],
            "change rows": write(("Put", {"Item": key | {"sk": {"S": "one"}}}), ("Delete", {"Key": key})),
            "check a row": write(("ConditionCheck", condition)),
            "query rows": query(),
            "query due rows": query("due"),
            "query open rows": query("open"),
            "query failing rows": query("attention"),
            "scan rows": ["dynamodb", "scan", {"TableName": table}],
            "read the app secret": secret("get_secret_value", "app"),
            "write the app secret": secret("put_secret_value", "app", SecretString="{}"),
            "create tokens": secret("create_secret", "grant/new", SecretString="{}", Tags=[{"Key": "a", "Value": "b"}]),
            "read tokens": secret("get_secret_value", "grant/one"),
            "write tokens": secret("put_secret_value", "grant/one", SecretString="{}"),
            "delete tokens": secret("delete_secret", "grant/none", ForceDeleteWithoutRecovery=True),
            "read tokens of another stage": ["secretsmanager", "get_secret_value",
                                             {"SecretId": "servicecortex-xero/staging/grant/one"}],
            "schedule a wake-up": ["scheduler", "create_schedule", schedule],
            "wake up contacts": send("contacts-wake-ups.fifo"),
            "wake up invoices": send("invoices-wake-ups.fifo"),
            "wake up credit notes": send("credit-notes-wake-ups.fifo"),
            "wake up payments": send("payments-wake-ups.fifo"),
            "send a chunk": send("polls"),
            "send an event": send("events.fifo"),
            "send what the CRM sends": send("invoices.fifo"),
        }

    def test_each_function_may_make_its_calls_and_no_others(self):
        secrets = self.client("secretsmanager")
        secrets.put_secret_value(SecretId=self.outputs["AppSecretId"], SecretString="{}")
        for name in ["servicecortex-xero/local/grant/one", "servicecortex-xero/staging/grant/one"]:
            secrets.create_secret(Name=name, SecretString="{}")
        calls = self.calls()
        self.assertEqual(len(ALLOWED), len(self.functions.list_functions()["Functions"]))
        for function, allowed in ALLOWED.items():
            with self.subTest(function=function):
                self.assertEqual(self.find_allowed(function, calls), allowed)

    def find_allowed(self, function, calls):
        """The calls that are not denied to a function. They may fail for another reason."""
        answer = self.functions.invoke(FunctionName=f"{PREFIX}-{function}", Payload=json.dumps({"calls": calls}))
        codes = json.loads(answer["Payload"].read())
        self.assertEqual(set(codes), set(calls))
        return {name for name, code in codes.items() if "AccessDenied" not in (code or "")}

    def test_while_tokens_move_each_function_that_uses_them_may_use_their_key_and_create_secrets(self):
        self.update(TokenStore="secrets-reading-sealed")
        key = {"KeyId": self.variable("TOKEN_KEY"), "KeySpec": "AES_256"}
        calls = {name: call for name, call in self.calls().items() if name in ("create tokens", "delete tokens")}
        calls["create a data key"] = ["kms", "generate_data_key", key]
        for function, allowed in ALLOWED.items():
            with self.subTest(function=function):
                expected = set(calls) if "read tokens" in allowed else set()
                self.assertEqual(self.find_allowed(function, calls), expected)

    def test_only_roles_of_the_product_send_wake_ups_and_chunks(self):
        queues = self.client("sqs")
        for queue in ["invoices-wake-ups.fifo", "polls"]:
            url = queues.get_queue_url(QueueName=f"{PREFIX}-{queue}")["QueueUrl"]
            group = {"MessageGroupId": "acc_1"} if queue.endswith(".fifo") else {}
            with self.assertRaisesRegex(ClientError, "AccessDenied"):
                queues.send_message(QueueUrl=url, MessageBody="{}", **group)
        queues.send_message(QueueUrl=self.outputs["InvoiceQueueUrl"], MessageBody="{}", MessageGroupId="acc_1")


if __name__ == "__main__":
    unittest.main()
