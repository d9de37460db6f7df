"""Walks through the deployment guide in an empty folder: its commands, as they are written there, against a local AWS.

Three variables name what `cargo verify --only lambda` and `cargo verify --only release` have made: `SAM`, the program, `BUILT`, the folder
that the guide's build fills, and `FUNCTIONS`, the functions that it has built there. Where the guide says `staging`, the walk says `local`: that
stage lacks what the local AWS does not have, such as CodeDeploy.
"""

import os
import re
import shlex
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from guide_commands import read_commands, read_request
from local_aws_case import LocalAwsCase

ROOT = Path(__file__).resolve().parents[2]
NESTED = ["infra/alarms.yaml", "infra/dashboard.yaml", "infra/trial-issuer.yaml"]
STACK = "servicecortex-xero-local"
DEPLOY = "sam deploy --config-file infra/samconfig.toml --config-env staging"
# As `infra/local/src/deployment.rs` changes the template for the local AWS.
DIFFERENCES = [(":schedule/${ScheduleGroup}/*", ":schedule/default/*"),
               ("MaximumConcurrency: !Ref PollConcurrency", "MaximumConcurrency: 10"),
               ('"yes": { IsEnabled: "true" }', '"yes": { IsEnabled: "false" }')]


class DeploymentGuide(LocalAwsCase):
    def setUp(self):
        super().setUp()
        self.guide = (ROOT / "infra/deploying.md").read_text()
        self.commands = read_commands(self.guide)
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder, self.home = Path(scratch.name) / "project", Path(scratch.name) / "home"
        (self.folder / "infra").mkdir(parents=True)
        self.home.mkdir()
        self.stacks, self.functions = self.client("cloudformation"), self.client("lambda")
        self.copy_files()
        self.built = self.copy_binaries()

    def copy_files(self):
        """The files that the commands name, and nothing else."""
        template = (ROOT / "template.yaml").read_text()
        for text, replacement in DIFFERENCES:
            self.assertEqual(template.count(text), 1, text)
            template = template.replace(text, replacement)
        (self.folder / "template.yaml").write_text(template)
        for nested in NESTED:
            shutil.copy(ROOT / nested, self.folder / nested)
        stages = (ROOT / "infra/samconfig.toml").read_text()
        stages = stages.replace("staging", "local").replace('"Stage=local",', '"Stage=local", "Canary=no",')
        (self.folder / "infra/samconfig.toml").write_text(stages)

    def copy_binaries(self):
        """What the guide's build leaves. Linking takes minutes for each function, so only a release builds all of them. The
        others are as short as possible, and different, because SAM uploads equal files once."""
        listed = re.findall(r"-p (\S+)", self.find_command("cargo lambda build"))
        built = os.environ["FUNCTIONS"].split()
        self.assertTrue(built)
        self.assertLessEqual(set(built), set(listed))
        for function in listed:
            bootstrap = self.folder / "target/lambda" / function / "bootstrap"
            bootstrap.parent.mkdir(parents=True)
            if function in built:
                shutil.copy(Path(os.environ["BUILT"]) / function / "bootstrap", bootstrap)
            else:
                bootstrap.write_bytes(function.encode())
            bootstrap.chmod(0o755)
        return listed

    def find_command(self, beginning):
        """The first command of the guide that begins like this."""
        return next(command for command in self.commands if command.startswith(beginning))

    def run_sam(self, command, *, fails=False):
        """Runs a command of the guide and returns its output."""
        self.assertIn(command, self.commands)
        return self.run_unlisted(command, fails=fails)

    def run_unlisted(self, command, *, fails=False):
        words = shlex.split(command.replace("staging", "local"))
        settings = {"AWS_ENDPOINT_URL": self.endpoint, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
                    "AWS_REGION": "eu-west-2", "AWS_DEFAULT_REGION": "eu-west-2", "SAM_CLI_TELEMETRY": "0",
                    "SAM_CLI_POLL_DELAY": "1", "HOME": str(self.home)}
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        done = subprocess.run([os.environ["SAM"], *words[1:]], cwd=self.folder, env=environment | settings,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
        output = done.stdout + done.stderr
        self.assertEqual(done.returncode != 0, fails, f"{command}\n{output[-3000:]}\n{self.said()[-2000:]}")
        return output

    def expect(self, sentence, output):
        """The guide says what the command prints."""
        self.assertIn(sentence, " ".join(self.guide.split()))
        self.assertIn(sentence, output)

    def run_aws(self, command):
        """Makes the request of a command of the guide."""
        self.assertIn(command, self.commands)
        service, operation, parameters = read_request(command.replace("staging", "local"))
        return getattr(self.client(service), operation)(**parameters)

    def parameters(self):
        stack = self.stacks.describe_stacks(StackName=STACK)["Stacks"][0]
        return {parameter["ParameterKey"]: parameter["ParameterValue"] for parameter in stack["Parameters"]}

    def uploaded(self):
        """The objects in the bucket that SAM made: functions, and templates."""
        store = self.client("s3")
        [bucket] = [one["Name"] for one in store.list_buckets()["Buckets"]]
        self.assertTrue(bucket.startswith("aws-sam-cli-managed-default-samclisourcebucket-"), bucket)
        names = [one["Key"] for one in store.list_objects_v2(Bucket=bucket, Prefix=f"{STACK}/")["Contents"]]
        templates = [name for name in names if name.endswith(".template")]
        return bucket, len(names) - len(templates), len(templates)

    def test_the_first_deploy(self):
        template = (self.folder / "template.yaml").read_text()
        self.assertEqual(sorted(re.findall(r"CodeUri: target/lambda/([a-z-]+)/", template)), sorted(self.built))
        self.expect("template.yaml is a valid SAM Template", self.run_sam("sam validate --lint"))
        self.expect("Build Succeeded", self.run_unlisted("sam build"))

        # The change set, after which nothing exists.
        output = self.run_sam(f"{DEPLOY} --no-execute-changeset")
        self.expect("Changeset created successfully", output)
        bucket, functions, templates = self.uploaded()
        self.assertEqual((functions, templates), (12, len(NESTED) + 1))
        [change_set] = self.stacks.list_change_sets(StackName=STACK)["Summaries"]
        read = self.stacks.describe_change_set(StackName=STACK, ChangeSetName=change_set["ChangeSetName"])
        changes = [change["ResourceChange"] for change in read["Changes"]]
        self.assertEqual({change["Action"] for change in changes}, {"Add"})
        kinds = [change["ResourceType"] for change in changes]
        self.assertEqual(kinds.count("AWS::Lambda::Function"), len(self.built))
        self.assertEqual(self.functions.list_functions()["Functions"], [])

        # Execution. Repeating it changes nothing.
        self.expect("Successfully created/updated stack", self.run_sam(DEPLOY))
        names = {function["FunctionName"] for function in self.functions.list_functions()["Functions"]}
        self.assertEqual(names, {f"{STACK}-{function}" for function in self.built})
        self.run_sam("sam list stack-outputs --stack-name servicecortex-xero-staging")
        stack = self.stacks.describe_stacks(StackName=STACK)["Stacks"][0]
        outputs = {output["OutputKey"] for output in stack["Outputs"]}
        named = set(re.findall(r"[`<]((?:[A-Z][A-Za-z]+Queue)(?:Url|Arn)|ApiUrl|ApiId|OAuthRedirectUrl)[`>]", self.guide))
        self.assertGreaterEqual(len(named), 8)
        self.assertLessEqual(named, outputs)
        self.expect("No changes to deploy", self.run_sam(DEPLOY))

        # Later steps that the local AWS has, too.
        before = self.parameters()
        self.run_sam(f"{DEPLOY} --parameter-overrides Schedules=DISABLED")
        self.assertEqual(self.parameters(), before | {"Schedules": "DISABLED"})
        answer = self.run_aws("aws secretsmanager put-secret-value --secret-id servicecortex-xero/staging/app "
                              """--secret-string '{"client_id":"…","client_secret":"…"}'""")
        self.assertEqual(answer["VersionStages"], ["AWSCURRENT"])
        answer = self.run_sam("sam package --template-file template.yaml --resolve-s3 "
                              "--output-template-file target/packaged.yaml")
        self.expect("Successfully packaged artifacts", answer)
        self.assertIn(bucket, answer)
        packaged = (self.folder / "target/packaged.yaml").read_text()
        self.assertEqual(packaged.count(f"CodeUri: s3://{bucket}/"), len(self.built))
        self.assertEqual(packaged.count("TemplateURL: http"), len(NESTED))

        # The change set that includes the nested stacks.
        create = self.find_command("aws cloudformation create-change-set --include-nested-stacks")
        service, operation, parameters = read_request(create.replace("production", "local"))
        self.client("s3").put_object(Bucket=bucket, Key="packaged.yaml", Body=packaged.encode())
        parameters["TemplateURL"] = f"{self.endpoint}/{bucket}/packaged.yaml"
        # What the walk's own stage sets beside the guide's.
        parameters["Parameters"] += [{"ParameterKey": name, "UsePreviousValue": True} for name in ("Stage", "Canary")]
        getattr(self.client(service), operation)(**parameters)
        read = self.stacks.describe_change_set(StackName=STACK, ChangeSetName=parameters["ChangeSetName"])
        self.assertEqual(read["Status"], "CREATE_COMPLETE", read)

    def test_what_fails_is_named_as_the_guide_says(self):
        trial = next(command for command in self.commands if "TrialIssuer=yes" in command)
        refused = self.run_unlisted(trial.replace("TrialIssuer=yes", "Canary=no"), fails=True)
        self.expect("rule TokensHaveAnIssuer failed: JwtIssuer is required unless TrialIssuer is yes", refused)
        shutil.rmtree(self.folder / "target/lambda/sweep")
        missing = self.run_unlisted(DEPLOY, fails=True)
        self.assertIn("Parameter CodeUri of resource", " ".join(missing.split()))
        self.expect("refers to a file or folder that does not exist", " ".join(missing.split()))


if __name__ == "__main__":
    unittest.main()
