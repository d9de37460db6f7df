"""Tests of the local AWS: it does not delay the events of functions, and unpacks their code in advance.

`cargo verify --only loops` runs them with the Python of the local AWS.
"""

import json
import unittest
from pathlib import Path

from local_aws_case import LocalAwsCase, package_bootstrap

# The minimum delay of an acknowledgement on Linux, in seconds.
ACKNOWLEDGED_AFTER = 0.04

# A function that keeps its connection to the Runtime API, as the runtimes of AWS do. It answers with the time from the
# head of its event to the end of the body, in seconds.
BOOTSTRAP = """#!{python}
import http.client, json, os, time
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
path = "/2018-06-01/runtime/invocation/"
while True:
    api.request("GET", path + "next")
    answer = api.getresponse()
    head_at = time.monotonic()
    answer.read()
    waited = time.monotonic() - head_at
    id = answer.headers["Lambda-Runtime-Aws-Request-Id"]
    api.request("POST", path + id + "/response", json.dumps(dict(waited=waited)))
    api.getresponse().read()
"""

TEMPLATE = """
Resources:
  Function:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: waiting
      Runtime: provided.al2023
      Handler: bootstrap
      Code:
        S3Bucket: code
        S3Key: waiting.zip
      Role: arn:aws:iam::000000000000:role/any
      Timeout: 20
"""


class PromptAws(LocalAwsCase):
    def setUp(self):
        super().setUp()
        s3, stacks = self.client("s3"), self.client("cloudformation")
        s3.create_bucket(Bucket="code", CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
        s3.put_object(Bucket="code", Key="waiting.zip", Body=package_bootstrap(BOOTSTRAP))
        stacks.create_stack(StackName="waiting", TemplateBody=TEMPLATE)

        def is_complete():
            return stacks.describe_stacks(StackName="waiting")["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE"

        self.wait(is_complete, "the stack")

    def test_the_body_of_an_event_follows_its_head_at_once(self):
        functions = self.client("lambda")
        # If bodies wait for acknowledgements, all of them do. A busy machine delays some of them.
        answers = [functions.invoke(FunctionName="waiting", Payload=b"{}") for _ in range(26)]
        waits = [json.load(answer["Payload"])["waited"] for answer in answers]
        # The kernel acknowledges the first segments of a connection at once.
        self.assertLess(min(waits[1:]), ACKNOWLEDGED_AFTER / 2, waits)

    def test_code_is_unpacked_before_the_first_call(self):
        folder = Path(self.log.name).parent

        def is_unpacked():
            return any(folder.glob("ministack-provided-code-*/*/bootstrap"))

        self.wait(is_unpacked, "the code to be unpacked")


if __name__ == "__main__":
    unittest.main()
