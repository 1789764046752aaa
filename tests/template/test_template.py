"""What a deployment consists of."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, get_args

import pytest

from pullwright import metrics
from tests.template.kit import ROOT, deployed, resources, strings, template

if TYPE_CHECKING:
    from collections.abc import Iterator

OUTPUTS = {
    "WebhookUrl",
    "StateMachineArn",
    "EvaluationMachineArn",
    "SessionsTable",
    "ArtifactsBucket",
    "EcsClusterArn",
    "EcsTaskDefinitionArn",
    "EcsStagingTaskDefinitionArn",
    "EcsSecurityGroupId",
    "EcsSubnetIdsCsv",
    "AgentRepositoryUri",
    "LogGroupName",
    "ReleaseParameter",
    "DashboardUrl",
}
PARAMETERS: dict[str, dict[str, Any]] = template()["Parameters"]


def test_the_sections_are_in_reading_order() -> None:
    """Metadata comes first, outputs last."""
    assert list(template()) == [
        "AWSTemplateFormatVersion",
        "Transform",
        "Description",
        "Metadata",
        "Parameters",
        "Rules",
        "Mappings",
        "Conditions",
        "Globals",
        "Resources",
        "Outputs",
    ]


def test_an_application_profile_reaches_its_own_model_only() -> None:
    """Foundation models of all regions are allowed through that one profile, and no other way.

    https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-prereq.html
    """
    statements = resources("AWS::IAM::Policy")["TaskPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    conditional = [one["Fn::If"] for one in statements if "Fn::If" in one]
    own, through = (branch for condition, branch, _ in conditional if condition == "UseApplicationProfile")
    assert own["Resource"] == {"Ref": "ModelId"}
    assert through["Condition"] == {"ArnEquals": {"bedrock:InferenceProfileArn": {"Ref": "ModelId"}}}
    by_name = [branch["Sid"] for condition, branch, _ in conditional if condition == "UseBedrockByName"]
    assert by_name == ["Model"]


def test_the_public_outputs_are_there() -> None:
    """Every output that people and tools rely on exists and says what it is."""
    outputs = template()["Outputs"]
    assert set(outputs) >= OUTPUTS
    assert all(output["Description"] for output in outputs.values())
    assert not any("Condition" in outputs[name] for name in OUTPUTS)


def test_every_log_group_is_ours_and_is_emptied() -> None:
    """Functions, tasks and the machine log to groups of this stack, which keep logs for a limited time."""
    groups = resources("AWS::Logs::LogGroup")
    key = {"Fn::If": ["HasLogsKey", {"Ref": "LogsKmsKeyArn"}, {"Ref": "AWS::NoValue"}]}
    for group in groups.values():
        assert group["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}
        assert group["Properties"]["KmsKeyId"] == key
    used = [
        one["Properties"]["LoggingConfig"]["LogGroup"]["Ref"]
        for one in resources("AWS::Serverless::Function").values()
    ]
    machine = resources("AWS::Serverless::StateMachine")["AgentSession"]
    (destination,) = machine["Properties"]["Logging"]["Destinations"]
    used.append(destination["CloudWatchLogsLogGroup"]["LogGroupArn"]["Fn::GetAtt"].partition(".")[0])
    task = template()["Resources"]["AgentTaskDefinition"]
    preview = template()["Resources"]["PreviewTaskDefinition"]
    used += [
        it["Properties"]["ContainerDefinitions"][0]["LogConfiguration"]["Options"]["awslogs-group"]["Ref"]
        for it in (task, preview)
    ]
    assert sorted(used) == sorted(groups)


def test_no_text_of_an_execution_is_logged() -> None:
    """The state machine's log holds no input and no output of states."""
    machine = resources("AWS::Serverless::StateMachine")["AgentSession"]
    assert machine["Properties"]["Logging"]["IncludeExecutionData"] is False


def test_data_outlives_the_stack_without_being_in_the_way() -> None:
    """Table, bucket and secrets outlive the stack, and have no name that a next stack would want.

    What a failed creation leaves is empty and is removed (`RetainExceptOnCreate`):
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-deletionpolicy.html
    """
    kinds = {"AWS::DynamoDB::Table": "TableName", "AWS::S3::Bucket": "BucketName"}
    for kind, name in {**kinds, "AWS::SecretsManager::Secret": "Name"}.items():
        for kept in resources(kind).values():
            assert kept["DeletionPolicy"] == "RetainExceptOnCreate"
            assert kept["UpdateReplacePolicy"] == "Retain"
            assert name not in kept["Properties"]
    for repository in resources("AWS::ECR::Repository").values():
        assert repository["Properties"]["EmptyOnDelete"] is True


def test_idle_costs_nothing_but_secrets() -> None:
    """No NAT gateway, no interface endpoint, nothing always on but a load balancer that was asked for."""
    types = {one["Type"] for one in template()["Resources"].values()}
    assert not types & {"AWS::EC2::NatGateway", "AWS::ECS::Service", "AWS::EC2::Instance", "AWS::KMS::Key"}
    balancers = resources("AWS::ElasticLoadBalancingV2::LoadBalancer")
    assert {one["Condition"] for one in balancers.values()} == {"OwnLoadBalancer"}
    assert not deployed() & set(balancers)
    endpoints = resources("AWS::EC2::VPCEndpoint").values()
    assert {one["Properties"]["VpcEndpointType"] for one in endpoints} == {"Gateway"}


PREVIEWS = {name: one for name, one in template()["Resources"].items() if "Preview" in name}
OWN_BALANCER = {
    "PreviewLoadBalancer",
    "PreviewListener",
    "PreviewBalancerSecurityGroup",
    "PreviewBalancerEgress",
}
CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/1"
LISTENER = "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/a/1/2"


def test_without_a_load_balancer_nothing_of_previews_is_deployed() -> None:
    """Machine, functions, roles, logs, tasks, repository and groups of previews depend on a listener."""
    assert not deployed() & set(PREVIEWS)
    assert {one.get("Condition") for one in PREVIEWS.values()} == {"UsePreviews", "OwnLoadBalancer"}
    # What else names them does so under the same condition.
    others = {name: one for name, one in template()["Resources"].items() if name not in PREVIEWS}
    assert not [text for text in _unconditional(others, "UsePreviews") if text in PREVIEWS]


@pytest.mark.parametrize(
    ("parameters", "has_balancer"),
    [
        ({"AlbListenerArn": LISTENER}, False),
        ({"PreviewCertificateArn": CERTIFICATE}, True),
        ({"PreviewHttpPort": "8080"}, True),
    ],
)
def test_a_load_balancer_is_made_where_none_is_named(
    parameters: dict[str, str], *, has_balancer: bool
) -> None:
    """Behind an existing listener and behind one that is made, previews have all of theirs."""
    made = deployed(**parameters) - deployed()
    assert made == set(PREVIEWS) - (set() if has_balancer else OWN_BALANCER)
    assert len(made) == (23 if has_balancer else 19)
    # What is there only with it is named only with it, besides among itself.
    rest = {name: one for name, one in template()["Resources"].items() if name not in OWN_BALANCER}
    assert not [text for text in _unconditional(rest, "OwnLoadBalancer") if text in OWN_BALANCER]


def test_an_own_load_balancer_speaks_tls_to_the_internet() -> None:
    """Only with a certificate do others than the VPC reach it; what no rule matches is answered with 404."""
    found = template()["Resources"]
    balancer, listener = (found[name]["Properties"] for name in ("PreviewLoadBalancer", "PreviewListener"))
    assert balancer["Scheme"] == {"Fn::If": ["PublicLoadBalancer", "internet-facing", "internal"]}
    needed = template()["Conditions"]["PublicLoadBalancer"]["Fn::And"]
    assert {"Condition": "HasPreviewCertificate"} in needed
    assert listener["Protocol"] == {"Fn::If": ["HasPreviewCertificate", "HTTPS", "HTTP"]}
    assert listener["SslPolicy"]["Fn::If"][1].startswith("ELBSecurityPolicy-TLS13-1-2-")
    (action,) = listener["DefaultActions"]
    assert action["FixedResponseConfig"]["StatusCode"] == "404"
    # The balancer is where the tasks are.
    machine = found["Preview"]["Properties"]["DefinitionSubstitutions"]["SubnetIds"]["Fn::If"]
    made, named = machine[1]["Fn::Join"][1], machine[2]
    assert balancer["Subnets"] == {"Fn::If": ["CreateNetwork", made, {"Fn::Split": [",", named]}]}


@pytest.mark.parametrize("name", ["PreviewCertificateArn", "PreviewHttpPort"])
def test_what_an_own_load_balancer_costs_is_told(name: str) -> None:
    """Whoever chooses it reads the price, and the page has the arithmetic: 720 hours, two public addresses.

    https://aws.amazon.com/elasticloadbalancing/pricing/ and https://aws.amazon.com/vpc/pricing/
    """
    public = name == "PreviewCertificateArn"
    dollars = 720 * (0.0225 + (2 * 0.005 if public else 0))
    assert f"bout ${dollars:.0f} a month" in PARAMETERS[name]["Description"]
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert f"${dollars:.2f}" in page


def test_a_preview_is_told_where_the_broker_is_and_nothing_else() -> None:
    """Both tasks of previews are alike but for the image, hold no secret, and have their own roles."""
    found = template()["Resources"]
    latest, staging = (
        found[name]["Properties"] for name in ("PreviewTaskDefinition", "PreviewStagingTaskDefinition")
    )
    (container,) = latest["ContainerDefinitions"]
    assert {one["Name"] for one in container["Environment"]} == {"BROKER_URL", "GITHUB_API_URL"}
    assert (container["Name"], container["StopTimeout"], "Secrets" in container) == ("preview", 30, False)
    assert latest["TaskRoleArn"] == {"Fn::GetAtt": "PreviewTaskRole.Arn"}
    (tried,) = staging["ContainerDefinitions"]
    assert tried["Image"]["Fn::Sub"].endswith(":staging")
    assert {**tried, "Image": ""} == {**container, "Image": ""}
    assert {**staging, "Family": "", "ContainerDefinitions": []} == {
        **latest,
        "Family": "",
        "ContainerDefinitions": [],
    }


def _unconditional(value: Any, condition: str) -> Iterator[str]:
    """Yield the strings in a value that hold whether or not a condition does."""
    if isinstance(value, dict) and value.get("Fn::If", [""])[0] == condition:
        yield from _unconditional(value["Fn::If"][2], condition)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _unconditional(item, condition)
    elif isinstance(value, list):
        for item in value:
            yield from _unconditional(item, condition)
    elif isinstance(value, str):
        yield value


def test_the_page_tells_what_idle_costs() -> None:
    """The arithmetic in docs/operations.md has the template's alarms, secrets and sweep, and adds up."""
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    table = page.partition("| what | arithmetic |")[2].partition("\n\n")[0].replace("*", "")
    rows = {
        cells[1].strip(): cells[3].strip() for line in table.splitlines() if len(cells := line.split("|")) > 4
    }
    alarms = len(resources("AWS::CloudWatch::Alarm"))
    # Those of Jira are there with it only.
    secrets = sum(not name.startswith("Jira") for name in resources("AWS::SecretsManager::Secret"))
    assert f"| alarms | {alarms} " in page
    assert float(rows["alarms"]) == pytest.approx(alarms * 0.10)
    assert float(rows["secrets"]) == pytest.approx((secrets - 1) * 0.40)
    schedule = template()["Resources"]["ReconcileFunction"]["Properties"]["Events"]["Sweep"]["Properties"]
    assert schedule["Schedule"] == "rate(5 minutes)"
    assert page.count("8,640") >= 3
    told = float(rows.pop("sum").split(",")[0])
    amounts = [
        0.0 if text.startswith("<") else float(text.split()[0]) for text in rows.values() if text[:1] != "-"
    ]
    assert told == pytest.approx(sum(amounts), abs=0.02)


def test_nothing_reaches_a_task_from_outside() -> None:
    """The agent's group has no way in, that of previews one for the load balancer, whose own has one port.

    Who may use that port: `test_preview_ranges.py`.
    """
    groups = dict(resources("AWS::EC2::SecurityGroup"))
    (way_in,) = groups.pop("PreviewSecurityGroup")["Properties"]["SecurityGroupIngress"]
    assert way_in["SourceSecurityGroupId"] == {
        "Fn::If": [
            "OwnLoadBalancer",
            {"Fn::GetAtt": "PreviewBalancerSecurityGroup.GroupId"},
            {"Ref": "AlbSecurityGroupId"},
        ]
    }
    assert "CidrIp" not in way_in
    balancer = groups.pop("PreviewBalancerSecurityGroup")["Properties"]
    listening = template()["Resources"]["PreviewListener"]["Properties"]["Port"]
    for entry in balancer["SecurityGroupIngress"]:
        one = entry["Fn::If"][1] if "Fn::If" in entry else entry
        assert one["FromPort"] == one["ToPort"] == listening
    # It has no way out but that to the previews: the one entry that it needs to have leads nowhere.
    (nowhere,) = balancer["SecurityGroupEgress"]
    assert nowhere["CidrIp"] == "255.255.255.255/32"
    (way_out,) = resources("AWS::EC2::SecurityGroupEgress").values()
    assert way_out["Properties"]["GroupId"] == {"Fn::GetAtt": "PreviewBalancerSecurityGroup.GroupId"}
    to = way_out["Properties"]["DestinationSecurityGroupId"]
    assert to == {"Fn::GetAtt": "PreviewSecurityGroup.GroupId"}
    assert [way_out["Properties"][side] for side in ("FromPort", "ToPort")] == [
        way_in[side] for side in ("FromPort", "ToPort")
    ]
    assert set(groups) == {"AgentSecurityGroup"}
    assert "SecurityGroupIngress" not in groups["AgentSecurityGroup"]["Properties"]
    assert not resources("AWS::EC2::SecurityGroupIngress")


def test_no_environment_holds_a_secret() -> None:
    """Secrets are named by ARN, never resolved into the template, a function or a task."""
    assert not [text for text in strings(template()) if "{{resolve:" in text]
    task = template()["Resources"]["AgentTaskDefinition"]
    (container,) = task["Properties"]["ContainerDefinitions"]
    assert "Secrets" not in container
    assert {one["Name"] for one in container["Environment"]} == {
        "BROKER_URL",
        "SESSIONS_TABLE",
        "ARTIFACTS_BUCKET",
        "GITHUB_API_URL",
        "CAPACITY",
        "EGRESS_MODE",
        "EGRESS_DOMAINS",
        "EGRESS_MAY_ADD",
    }


def test_spare_capacity_is_used_where_it_was_chosen() -> None:
    """Capacity decides for the cluster, the machine and the task; without it nothing needs ECS's own role.

    CreateCluster with capacity providers fails in an account that has no such role yet:
    https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/818
    """
    assert PARAMETERS["Capacity"]["Default"] == "FARGATE"
    (cluster,) = resources("AWS::ECS::Cluster").values()
    spot = ["UseSpot", ["FARGATE", "FARGATE_SPOT"], {"Ref": "AWS::NoValue"}]
    assert cluster["Properties"]["CapacityProviders"] == {"Fn::If": spot}
    machine = resources("AWS::Serverless::StateMachine")["AgentSession"]
    field = {"Fn::If": ["UseSpot", "CapacityProviderStrategy", "LaunchType"]}
    assert machine["Properties"]["DefinitionSubstitutions"]["LaunchField"] == field


def test_no_model_key_exists_with_bedrock() -> None:
    """The key's secret is made only for Anthropic, and only Bedrock is permitted otherwise."""
    assert template()["Conditions"]["CreateModelKeySecret"]["Fn::And"][0] == {"Condition": "UseAnthropic"}
    assert template()["Resources"]["ModelKeySecret"]["Condition"] == "CreateModelKeySecret"


def test_a_task_has_time_to_push_when_it_is_stopped() -> None:
    """The task is given the longest time that Fargate allows between SIGTERM and SIGKILL."""
    task = template()["Resources"]["AgentTaskDefinition"]
    (container,) = task["Properties"]["ContainerDefinitions"]
    assert (container["Name"], container["StopTimeout"]) == ("runner", 120)


def _dashboard(*, with_previews: bool) -> str:
    """Return the dashboard's text, in which the stack's own names are not put in yet."""
    (dashboard,) = resources("AWS::CloudWatch::Dashboard").values()
    text, parts = dashboard["Properties"]["DashboardBody"]["Fn::Sub"]
    condition, shown, otherwise = parts["PreviewWidgets"]["Fn::If"]
    assert (condition, otherwise) == ("UsePreviews", "")
    return str(text).replace("${PreviewWidgets}", shown["Fn::Sub"] if with_previews else otherwise)


@pytest.mark.parametrize("with_previews", [True, False])
def test_the_dashboard_shows_figures_that_exist(*, with_previews: bool) -> None:
    """The dashboard is JSON, and each figure of our own in it, and in an alarm, is one that is written."""
    body = re.sub(r"\$\{[\w:.]+\}", "x", _dashboard(with_previews=with_previews))
    rows = [row for widget in json.loads(body)["widgets"] for row in widget["properties"]["metrics"]]
    shown = {row[1] for row in rows if len(row) > 3 and row[2] in ("service", ".") and row[0] in ("x", ".")}
    written = set(get_args(metrics.Name))
    aws = {"ExecutionsSucceeded", "ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted"}
    aws |= {"Url5xxCount", "Throttles"}
    assert shown - aws <= written
    assert ("PreviewHours" in shown) is with_previews
    alarms = [one["Properties"] for one in resources("AWS::CloudWatch::Alarm").values()]
    ours = {one["MetricName"] for one in alarms if one["Namespace"] == {"Ref": "ServiceName"}}
    assert ours == {"FailuresInARow", "LostWebhooks", "RefusedWebhooks", "Sessions", "UnreadableWorkers"}
    assert ours <= written


def test_alarms_watch_what_aws_counts_when_the_webhook_fails() -> None:
    """A Function URL's 5xx and throttled requests are no `Errors` of its function.

    https://docs.aws.amazon.com/lambda/latest/dg/urls-monitoring.html names the figures of Function URLs, and
    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html says of `Errors` that throttles
    and answers of the code's own making are not among them.
    """
    alarms = [one["Properties"] for one in resources("AWS::CloudWatch::Alarm").values()]
    of_the_webhook = {
        one["MetricName"]
        for one in alarms
        if {"Name": "FunctionName", "Value": {"Ref": "WebhookFunction"}} in one["Dimensions"]
    }
    assert of_the_webhook == {"Url5xxCount", "Throttles"}


def test_a_budget_and_alarms_may_publish_to_the_topic() -> None:
    """With a policy of its own the topic lets AWS Budgets publish, and CloudWatch as before, both for us.

    https://docs.aws.amazon.com/cost-management/latest/userguide/budgets-sns-policy.html says what a budget
    needs, and https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html
    what an alarm does.
    """
    made = template()["Resources"]
    assert made["Budget"]["DependsOn"] == "AlarmTopicPolicy"
    assert made["Budget"]["Condition"] == made["AlarmTopicPolicy"]["Condition"] == "HasBudget"
    notifications = made["Budget"]["Properties"]["NotificationsWithSubscribers"]
    addresses = [one["Address"] for notice in notifications for one in notice["Subscribers"]]
    assert addresses == [{"Ref": "AlarmTopic"}] * 2
    allowed = made["AlarmTopicPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert {one["Principal"]["Service"] for one in allowed} == {
        "cloudwatch.amazonaws.com",
        "budgets.amazonaws.com",
    }
    for one in allowed:
        assert one["Action"] == "sns:Publish"
        assert one["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_stacks_of_one_service_have_figures_of_their_own() -> None:
    """Every figure of ours is told apart by its stack's name, in alarms, dashboard and what is written."""
    variables = template()["Globals"]["Function"]["Environment"]["Variables"]
    assert variables["POWERTOOLS_SERVICE_NAME"] == {"Ref": "AWS::StackName"}
    stack = {"Name": "service", "Value": {"Ref": "AWS::StackName"}}
    alarms = [one["Properties"] for one in resources("AWS::CloudWatch::Alarm").values()]
    assert all(stack in one["Dimensions"] for one in alarms if one["Namespace"] == {"Ref": "ServiceName"})
    assert '"service", "${ServiceName}"' not in _dashboard(with_previews=True)


def test_a_message_is_hidden_for_longer_than_its_handling_takes() -> None:
    """No second function gets a message while the first one still works on it."""
    queue = template()["Resources"]["EventsQueue"]["Properties"]
    function = template()["Resources"]["EventsFunction"]["Properties"]
    assert queue["VisibilityTimeout"] >= 6 * function["Timeout"]


def test_a_queued_start_outlives_a_day_without_room() -> None:
    """A message is tried for most of a day before it is a dead letter, and expires nowhere before.

    A batch that Lambda throttles counts as received, so the count alone ends it; and a message keeps the time
    of its first queue: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html and
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
    """
    queue = template()["Resources"]["EventsQueue"]["Properties"]
    dead = template()["Resources"]["EventsDeadLetterQueue"]["Properties"]
    tries = queue["RedrivePolicy"]["maxReceiveCount"]
    hour, day = 3_600, 86_400
    assert 1 <= tries <= 1_000
    assert (tries - 1) * queue["VisibilityTimeout"] > 20 * hour
    assert tries * queue["VisibilityTimeout"] + day < queue["MessageRetentionPeriod"]
    # GitHub's deliveries are kept for three days; whoever looks after a long weekend finds the letter.
    assert dead["MessageRetentionPeriod"] - tries * queue["VisibilityTimeout"] > 4 * day
    (alarm,) = [
        one["Properties"]
        for one in resources("AWS::CloudWatch::Alarm").values()
        if one["Properties"]["MetricName"] == "ApproximateAgeOfOldestMessage"
    ]
    assert alarm["Threshold"] < tries * queue["VisibilityTimeout"]


def test_concurrency_can_be_reserved_for_each_function_that_people_wait_for() -> None:
    """Each of them has a parameter, and without a value nothing is reserved."""
    reserved = {
        name: one["Properties"].get("ReservedConcurrentExecutions")
        for name, one in resources("AWS::Serverless::Function").items()
    }
    # The sweep runs every five minutes, and beside itself does no harm; machines wait for previews.
    assert {name for name, value in reserved.items() if value is None} == {
        *("ReconcileFunction", "PreparePreviewFunction", "RoutePreviewFunction", "RemovePreviewFunction")
    }
    for name, value in reserved.items():
        if value is not None:
            short = name.removesuffix("Function")
            parameter, condition = f"{short}ReservedConcurrency", f"Reserve{short}Concurrency"
            assert value == {"Fn::If": [condition, {"Ref": parameter}, {"Ref": "AWS::NoValue"}]}
            empty = {"Fn::Equals": [{"Ref": parameter}, ""]}
            assert template()["Conditions"][condition] == {"Fn::Not": [empty]}


def test_no_role_needs_a_name() -> None:
    """CAPABILITY_IAM is enough, and two stacks can live in one account."""
    assert not [
        name for name, role in resources("AWS::IAM::Role").items() if "RoleName" in role["Properties"]
    ]
