"""Tests of the recursive-loop detection: the counting, and a function that feeds its own queue on the local AWS.

`cargo verify --only loops` runs them with the Python of the local AWS.
"""

import json
import time
import unittest

from local_aws_case import LocalAwsCase, package_bootstrap
from recursive_loops import HOPS_MAX, hash_function, merge_lineages, next_hop, read_lineage, trace_headers

# A function that sends a message to the next queue, at once or by a schedule, until the count in the message is
# used up.
BOOTSTRAP = """#!{python}
import json, os, time, urllib.request
import boto3
soon = lambda: time.gmtime(time.time() + 2)
sqs, scheduler = boto3.client("sqs"), boto3.client("scheduler")
api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"
while True:
    with urllib.request.urlopen(api + "next") as answer:
        event, headers = json.load(answer), answer.headers
    # As the runtimes of AWS do; the SDK sends it with every call.
    os.environ["_X_AMZN_TRACE_ID"] = headers["Lambda-Runtime-Trace-Id"]
    for record in event["Records"]:
        left = int(record["body"]) - 1
        if left and "SCHEDULED_QUEUE_ARN" in os.environ:
            scheduler.create_schedule(
                Name="next-" + str(left), ScheduleExpression=time.strftime("at(%Y-%m-%dT%H:%M:%S)", soon()),
                FlexibleTimeWindow=dict(Mode="OFF"), ActionAfterCompletion="DELETE",
                Target=dict(Arn=os.environ["SCHEDULED_QUEUE_ARN"], Input=str(left),
                            RoleArn="arn:aws:iam::000000000000:role/any"))
        else:
            queue = os.environ["NEXT_QUEUE"] if left else os.environ["END_QUEUE"]
            sqs.send_message(QueueUrl=queue, MessageBody=str(left))
    id = headers["Lambda-Runtime-Aws-Request-Id"]
    urllib.request.urlopen(api + id + "/response", data=b"{{}}").read()
"""

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Own:
    Type: AWS::SQS::Queue
  Other:
    Type: AWS::SQS::Queue
  End:
    Type: AWS::SQS::Queue
{functions}
Outputs:
  Own:
    Value: !Ref Own
  End:
    Value: !Ref End
"""

FUNCTION = """
  {logical_id}:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: {name}
      Runtime: provided.al2023
      Handler: bootstrap
      CodeUri: s3://code/looping.zip
      Role: arn:aws:iam::000000000000:role/any
      Timeout: 20{setting}
      Environment:
        Variables:
          NEXT_QUEUE: !Ref {next_queue}
          END_QUEUE: !Ref End{variable}
      Events:
        Messages:
          Type: SQS
          Properties:
            Queue: !GetAtt {queue}.Arn
            BatchSize: 1
"""


def function(name, queue="Own", next_queue="Own", allowed=False, scheduled=False):
    """A function of a template that is invoked by `queue` and sends to `next_queue`."""
    setting = "\n      RecursiveLoop: Allow" if allowed else ""
    variable = f"\n          SCHEDULED_QUEUE_ARN: !GetAtt {next_queue}.Arn" if scheduled else ""
    return FUNCTION.format(logical_id=name.capitalize(), name=name, queue=queue, next_queue=next_queue,
                           setting=setting, variable=variable)


class Counting(unittest.TestCase):
    def test_a_lineage_is_read_as_the_sdks_encode_it(self):
        self.assertEqual(read_lineage("Root=1-a-b;Lineage=00000001:3%7C0000000a:1"), {"00000001": 3, "0000000a": 1})

    def test_a_chain_starts_without_a_header(self):
        header, hops = next_hop([], "push")
        self.assertEqual(hops, 1)
        self.assertEqual(read_lineage(header), {hash_function("push"): 1})
        self.assertRegex(header, r"^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0;Lineage=")

    def test_each_invocation_of_a_function_increments_its_count_in_the_same_trace(self):
        first, _ = next_hop([], "push")
        second, hops = next_hop([first], "push")
        self.assertEqual(hops, 2)
        self.assertEqual(second.split(";")[0], first.split(";")[0])

    def test_two_functions_that_call_each_other_are_counted_separately(self):
        header, hops = "", 0
        for _ in range(HOPS_MAX):
            header, _ = next_hop([header], "one")
            header, hops = next_hop([header], "other")
        self.assertEqual(hops, HOPS_MAX)
        self.assertEqual(next_hop([header], "one")[1], HOPS_MAX + 1)

    def test_a_batch_counts_the_longest_chain_of_each_function(self):
        headers = ["Root=1-a-b;Lineage=0000000a:3|0000000b:1", "Lineage=0000000a:2|0000000b:5", ""]
        self.assertEqual(merge_lineages(headers), {"0000000a": 3, "0000000b": 5})

    def test_invalid_lineages_are_ignored(self):
        for header in ["", "Root=1-a-b", "Lineage=", "Lineage=x:1|0000000a:-1", "NoLineage=0000000a:3", "\x00;;="]:
            self.assertEqual(read_lineage(header), {}, header)

    def test_headers_are_taken_from_messages_only(self):
        records = [{"attributes": {"AWSTraceHeader": "Lineage=0000000a:1"}}, {"attributes": {}}, {}, "text"]
        self.assertEqual(trace_headers({"Records": records}), ["Lineage=0000000a:1"])
        for event in [None, 7, "text", [], {}, {"Records": 7}, {"Records": [{"attributes": 7}]}]:
            self.assertEqual(trace_headers(event), [])


class OnTheLocalAws(LocalAwsCase):
    def deploy(self, *functions):
        s3, stacks = self.client("s3"), self.client("cloudformation")
        s3.create_bucket(Bucket="code", CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
        s3.put_object(Bucket="code", Key="looping.zip", Body=package_bootstrap(BOOTSTRAP))
        stacks.create_stack(StackName="loop", TemplateBody=TEMPLATE.format(functions="".join(functions)),
                            Capabilities=["CAPABILITY_AUTO_EXPAND", "CAPABILITY_IAM"])

        def outputs():
            stack = stacks.describe_stacks(StackName="loop")["Stacks"][0]
            self.assertNotIn("FAILED", stack["StackStatus"], stack)
            self.assertNotIn("ROLLBACK", stack["StackStatus"], stack)
            return stack["StackStatus"] == "CREATE_COMPLETE" and stack["Outputs"]

        return {output["OutputKey"]: output["OutputValue"] for output in self.wait(outputs, "the stack")}

    def lineage_at_the_end(self, queues, hops):
        """Starts a chain with the given number of invocations; returns the counts in the message of the last one."""
        sqs = self.client("sqs")
        sqs.send_message(QueueUrl=queues["Own"], MessageBody=str(hops))

        def message():
            if self.process.poll() is not None:
                self.fail(self.said()[-3000:])
            asked = {"QueueUrl": queues["End"], "MessageSystemAttributeNames": ["All"]}
            return sqs.receive_message(**asked).get("Messages")

        last = self.wait(message, "the end of the loop")[0]
        sqs.delete_message(QueueUrl=queues["End"], ReceiptHandle=last["ReceiptHandle"])
        return read_lineage(last["Attributes"]["AWSTraceHeader"])

    def assert_ends(self, queues, hops, name):
        """Starts a chain with too many invocations, and waits until the local AWS ends because of the function."""
        self.client("sqs").send_message(QueueUrl=queues["Own"], MessageBody=str(hops))
        self.assertEqual(self.wait(lambda: self.process.poll() is not None and str(self.process.returncode),
                                   "the local AWS to end"), "1")
        last = self.said().strip().splitlines()[-15:]
        expected = f"RECURSIVE LOOP: {name} was about to run for the {HOPS_MAX + 1}th time"
        self.assertTrue(any(expected in line for line in last), last)

    def test_a_function_may_run_sixteen_times_in_a_chain_and_the_seventeenth_run_ends_the_local_aws(self):
        queues = self.deploy(function("looping"))
        self.assertEqual(self.lineage_at_the_end(queues, HOPS_MAX), {hash_function("looping"): HOPS_MAX})
        self.assert_ends(queues, HOPS_MAX + 1, "looping")

    def test_a_function_that_is_allowed_to_loop_keeps_running(self):
        queues = self.deploy(function("looping", allowed=True))
        hops = 2 * HOPS_MAX
        self.assertEqual(self.lineage_at_the_end(queues, hops), {hash_function("looping"): hops})
        setting = self.client("lambda").get_function_recursion_config(FunctionName="looping")
        self.assertEqual(setting["RecursiveLoop"], "Allow")

    def test_a_loop_over_another_function_is_counted_for_both(self):
        queues = self.deploy(function("looping", "Own", "Other"), function("answering", "Other", "Own"))
        both = {hash_function("looping"): HOPS_MAX, hash_function("answering"): HOPS_MAX}
        self.assertEqual(self.lineage_at_the_end(queues, 2 * HOPS_MAX), both)
        self.assert_ends(queues, 2 * HOPS_MAX + 1, "looping")

    def test_a_function_of_the_crm_that_answers_events_needs_the_permission_too(self):
        # The product's function is allowed to loop; the one that reads its events and sends messages is not.
        queues = self.deploy(function("looping", "Own", "Other", allowed=True), function("crm", "Other", "Own"))
        self.assert_ends(queues, 2 * HOPS_MAX + 2, "crm")

    def test_a_program_outside_lambda_that_answers_events_begins_a_new_chain(self):
        queues = self.deploy(function("looping"))
        for _ in range(HOPS_MAX + 2):
            self.assertEqual(self.lineage_at_the_end(queues, 1), {hash_function("looping"): 1})

    def test_a_schedule_begins_a_new_chain(self):
        # As on AWS, where Lambda does not follow schedules.
        queues = self.deploy(function("looping", scheduled=True))
        self.assertEqual(self.lineage_at_the_end(queues, 3), {hash_function("looping"): 1})


if __name__ == "__main__":
    unittest.main()
