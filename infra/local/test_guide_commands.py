"""Every AWS command of the deployment guide and of the runbook exists and has the options that they use."""

import re
import tomllib
import unittest
from pathlib import Path

from guide_commands import WrongCommand, read_commands, read_inline_commands, read_request

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = ["infra/deploying.md", "infra/runbook.md"]
# Commands that no description of a service has.
OWN = ("aws --version", "aws s3 cp")


class GuideCommands(unittest.TestCase):
    def test_every_command_exists_and_has_its_required_options(self):
        checked = 0
        for document in DOCUMENTS:
            for command in read_commands((ROOT / document).read_text()):
                if "aws " in command and not command.startswith(OWN):
                    with self.subTest(document=document):
                        read_request(command)
                    checked += 1
        self.assertGreater(checked, 20)

    def test_every_command_within_a_sentence_exists(self):
        for document in DOCUMENTS:
            found = read_inline_commands((ROOT / document).read_text())
            self.assertTrue(found)
            for command in (command for command in found if not command.startswith(OWN)):
                with self.subTest(document=document):
                    read_request(command, is_complete=False)

    def test_the_change_set_of_nested_stacks_keeps_every_parameter_that_the_stage_sets(self):
        create = next(command for command in read_commands((ROOT / "infra/deploying.md").read_text())
                      if command.startswith("aws cloudformation create-change-set"))
        listed = {one["ParameterKey"] for one in read_request(create)[2]["Parameters"]}
        stages = tomllib.loads((ROOT / "infra/samconfig.toml").read_text())
        overrides = stages["production"]["deploy"]["parameters"]["parameter_overrides"]
        # The default of the stage is production.
        self.assertEqual(listed, {override.partition("=")[0] for override in overrides} - {"Stage"})

    def test_the_guide_says_why_each_of_its_commands_may_fail(self):
        guide = (ROOT / "infra/deploying.md").read_text()
        section = guide.partition("\n## When a command fails\n")[2].partition("\n## ")[0]
        named = re.findall(r"`([^`]+)`", "".join(row.split("|")[1] for row in section.splitlines() if row.startswith("|")))
        for command in read_commands(guide):
            if command and not command.startswith("export "):
                with self.subTest(command=command):
                    self.assertTrue(any(command.startswith(name) for name in named))
        for name in named:
            with self.subTest(name=name):
                self.assertTrue(any(command.startswith(name) for command in read_commands(guide)))

    def test_a_request_has_the_parameters_of_its_command(self):
        read = read_request("aws secretsmanager list-secrets --filters Key=name,Values=a/ --query 'length(SecretList)'")
        self.assertEqual(read, ("secretsmanager", "list_secrets", {"Filters": [{"Key": "name", "Values": ["a/"]}]}))
        read = read_request("AWS_MAX_ATTEMPTS=1 aws lambda invoke --function-name f --payload '{\"a\":1}' /dev/stdout")
        self.assertEqual(read, ("lambda", "invoke", {"FunctionName": "f", "Payload": '{"a":1}'}))
        read = read_request("aws lambda update-event-source-mapping --uuid <id> --no-enabled", is_complete=False)
        self.assertEqual(read[2], {"UUID": "placeholder", "Enabled": False})

    def test_a_misspelt_command_is_refused(self):
        for command in ["aws sqss purge-queue --queue-url q", "aws sqs purge-queues --queue-url q",
                        "aws sqs purge-queue --queue q", "aws sqs purge-queue", "aws sqs purge-queue --queue-url q r",
                        "aws cloudwatch set-alarm-state --alarm-name a --state-value ALERT --state-reason test",
                        "aws secretsmanager list-secrets --filters Name=name,Values=a"]:
            with self.subTest(command=command), self.assertRaises(WrongCommand):
                read_request(command)


if __name__ == "__main__":
    unittest.main()
