"""The product's template on a local AWS of its own for each test, with stand-ins for the functions."""

import io
import re
import zipfile

from local_aws_case import LocalAwsCase, Path

ROOT = Path(__file__).resolve().parents[2]
BUCKET = "code"
NESTED = ["infra/alarms.yaml", "infra/dashboard.yaml", "infra/trial-issuer.yaml"]
ADDRESS = "http://127.0.0.1:9999"
PREFIX = "servicecortex-xero-local"
# Answers every event with its version.
STAND_IN = r"""#!/bin/bash
api="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation"
while true; do
  headers=$(mktemp)
  curl -sS -L -D "$headers" -o /dev/null "$api/next"
  id=$(grep -Fi Lambda-Runtime-Aws-Request-Id "$headers" | tr -d '[:space:]' | cut -d: -f2)
  curl -sS -o /dev/null -X POST "$api/$id/response" -d "{\"statusCode\":200,\"body\":\"$AWS_LAMBDA_FUNCTION_VERSION\"}"
done
"""


class ProductCase(LocalAwsCase):
    """Deploys the template before each test."""

    # The program of every function.
    stand_in = STAND_IN

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
            archive.writestr(bootstrap, self.stand_in)
        store.put_object(Bucket=BUCKET, Key="function.zip", Body=package.getvalue())
        template = (ROOT / "template.yaml").read_text()
        for nested in NESTED:
            store.put_object(Bucket=BUCKET, Key=nested, Body=(ROOT / nested).read_bytes())
            template = template.replace(f"TemplateURL: {nested}", f"TemplateURL: {self.endpoint}/{BUCKET}/{nested}")
        template = re.sub(r"CodeUri: target/lambda/[a-z-]+/", f"CodeUri: s3://{BUCKET}/function.zip", template)
        # The product's programs need less time than those of the tests.
        template = re.sub(r"^( +Timeout:) (?:10|29)$", r"\1 60", template, flags=re.MULTILINE)
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
