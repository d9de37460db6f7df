"""Steps of the runbook and of the deployment guide on the local AWS, with the product's own template. The functions are
replaced by one that answers with its version: the engine's part of each recovery is tested in `tests/it/recovery.rs`."""

import io
import re
import unittest
import zipfile
from datetime import datetime, timezone

from botocore.exceptions import ClientError

from local_aws_case import LocalAwsCase, Path

ROOT = Path(__file__).resolve().parents[2]
BUCKET = "code"
NESTED = ["infra/alarms.yaml", "infra/dashboard.yaml", "infra/trial-issuer.yaml"]
ADDRESS = "http://127.0.0.1:9999"
PREFIX = "servicecortex-xero-local"
RESTORED = f"{PREFIX}-restored-2026-11-29"
KINDS = ["contact", "invoice", "credit-note", "payment"]
STAND_IN = r"""#!/bin/bash
api="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation"
while true; do
  headers=$(mktemp)
  curl -sS -L -D "$headers" -o /dev/null "$api/next"
  id=$(grep -Fi Lambda-Runtime-Aws-Request-Id "$headers" | tr -d '[:space:]' | cut -d: -f2)
  curl -sS -o /dev/null -X POST "$api/$id/response" -d "{\"statusCode\":200,\"body\":\"$AWS_LAMBDA_FUNCTION_VERSION\"}"
done
"""


class Runbook(LocalAwsCase):
    def setUp(self):
        super().setUp()
        self.stacks, self.functions = self.client("cloudformation"), self.client("lambda")
        self.parameters = {
            "Stage": "local", "Architecture": "x86_64", "CrmUrl": ADDRESS, "CrmReturnUrl": f"{ADDRESS}/return",
            "CrmOrigins": ADDRESS, "JwtIssuer": ADDRESS, "JwtAudience": "crm", "PublicUrl": ADDRESS, "Canary": "no",
            "PushTimeoutSeconds": "60", "PushVisibilitySeconds": "60",
        }
        self.upload()
        self.deploy(self.stacks.create_stack)

    def upload(self):
        """The template as `infra/local/src/deployment.rs` changes it, and what it refers to."""
        store = self.client("s3")
        store.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
        package = io.BytesIO()
        with zipfile.ZipFile(package, "w") as archive:
            bootstrap = zipfile.ZipInfo("bootstrap")
            bootstrap.external_attr = 0o755 << 16
            archive.writestr(bootstrap, STAND_IN)
        store.put_object(Bucket=BUCKET, Key="function.zip", Body=package.getvalue())
        template = (ROOT / "template.yaml").read_text()
        for nested in NESTED:
            store.put_object(Bucket=BUCKET, Key=nested, Body=(ROOT / nested).read_bytes())
            template = template.replace(f"TemplateURL: {nested}", f"TemplateURL: {self.endpoint}/{BUCKET}/{nested}")
        template = re.sub(r"CodeUri: target/lambda/[a-z-]+/", f"CodeUri: s3://{BUCKET}/function.zip", template)
        for text, replacement in [(":schedule/${ScheduleGroup}/*", ":schedule/default/*"),
                                  ("MaximumConcurrency: !Ref PollConcurrency", "MaximumConcurrency: 10"),
                                  ('"yes": { IsEnabled: "true" }', '"yes": { IsEnabled: "false" }')]:
            self.assertEqual(template.count(text), 1, text)
            template = template.replace(text, replacement)
        store.put_object(Bucket=BUCKET, Key="template.yaml", Body=template.encode())

    def deploy(self, change, **parameters):
        self.parameters |= parameters
        given = [{"ParameterKey": name, "ParameterValue": value} for name, value in self.parameters.items()]
        change(StackName=PREFIX, TemplateURL=f"{self.endpoint}/{BUCKET}/template.yaml", Parameters=given,
               Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"])

        def find_end():
            stack = self.stacks.describe_stacks(StackName=PREFIX)["Stacks"][0]
            return None if stack["StackStatus"].endswith("IN_PROGRESS") else stack

        stack = self.wait(find_end, "the stack")
        self.assertIn(stack["StackStatus"], ["CREATE_COMPLETE", "UPDATE_COMPLETE"])
        self.outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}

    def update(self, **parameters):
        self.deploy(self.stacks.update_stack, **parameters)

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

        # Step 2: the copy has what the functions need, after the three commands.
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


if __name__ == "__main__":
    unittest.main()
