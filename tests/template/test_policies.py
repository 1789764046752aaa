"""What may do what."""

from __future__ import annotations

import re
from typing import Any

from tests.template.kit import DEFINITION, PREVIEW, listed, resources, statements, strings, tasks, template

WILDCARDS = {
    ("AgentSessionRole", "StartTask"): "every revision of the one family",
    ("AgentSessionRole", "FollowTask"): "every task of the one cluster",
    ("AgentSessionRole", "TagTask"): "every task of the one cluster, while it is started",
    ("AgentSessionRole", "LogDelivery"): "CloudWatch Logs offers no resource for log deliveries",
    ("OpenPullRequestRole", "Artifacts"): "every session's folder",
    ("ReportOutcomeRole", "Artifacts"): "every session's folder",
    ("ReportOutcomeRole", "Tasks"): "every task of the one cluster",
    ("ReportOutcomeRole", "History"): "every execution of the one machine",
    ("EventsRole", "StopSession"): "every execution of the one machine",
    ("AgentSessionRole", "Functions"): "every version of the two: sessions that run began with earlier ones",
    ("EvaluationRole", "FollowSession"): "every execution of the one machine",
    ("ReconcileRole", "Artifacts"): "every session's folder",
    ("ReconcileRole", "Tasks"): "every task of the one cluster",
    ("ReconcileRole", "Executions"): "every execution of the one machine",
    ("BrokerPolicy", "Requests"): "every session's request",
    ("BrokerPolicy", "Screenshots"): "every preview's folder, of which the broker writes the calling task's",
    ("BrokerPolicy", "Tasks"): "every task of the one cluster",
    ("SessionRole", "Artifacts"): "every session's folder; the broker narrows it to one",
    ("ArtifactsBucketPolicy", "OnlyEncryptedConnections"): "forbids: everybody, everything, without TLS",
    ("TrailBucketPolicy", "OnlyEncryptedConnections"): "forbids: everybody, everything, without TLS",
    ("TrailBucketPolicy", "WriteFiles"): "every file of the one trail",
    ("TaskPolicy", "Model"): "an inference profile passes a request on to any of its regions",
    (
        "TaskPolicy",
        "ModelOfApplicationProfile",
    ): "its ARN does not tell the one model it routes to",
    ("TaskExecutionRole", "Registry"): "ECR offers no resource for its login",
    ("EventsRole", "StopPreview"): "every task of the one cluster",
    ("EventsRole", "FindPreview"): "every execution of the one machine",
    ("PreviewRole", "StartTask"): "every revision of the two families",
    ("PreviewRole", "FollowTask"): "every task of the one cluster",
    ("PreviewRole", "TagTask"): "every task of the one cluster, while it is started",
    ("PreviewRole", "Functions"): "every version of the three: previews that run began with earlier ones",
    ("PreviewTaskExecutionRole", "Registry"): "ECR offers no resource for its login",
    ("RoutePreviewRole", "Screenshots"): "every preview's folder: a base branch's preview is another one",
    ("RoutePreviewRole", "Tags"): "every group and rule of previews, while it is made",
    **{
        (f"{name}PreviewRole", sid): reason
        for name in ("Route", "Remove")
        for sid, reason in {
            "Tasks": "every task of the one cluster",
            "History": "every execution of the one machine",
            "FindRoutes": "Elastic Load Balancing offers no resource for what only reads",
            "Groups": "every group whose name is a preview's",
        }.items()
    },
    ("RoutePreviewRole", "ChangeRules"): "every rule of the one listener that was made for a preview",
    (
        "RemovePreviewRole",
        "FindTasks",
    ): "ECS offers no resource of Fargate to list tasks; the cluster is named",
    ("RemovePreviewRole", "Executions"): "every execution of the one machine",
    ("RemovePreviewRole", "Rules"): "every rule of the one listener that was made for a preview",
    **{
        (f"{name}Role", sid): reason
        for name in (
            *("Events", "OpenPullRequest", "ReportOutcome", "Reconcile", "Broker"),
            *("PreparePreview", "RoutePreview", "RemovePreview"),
        )
        for sid, reason in {
            "NetworkInterfaces": "interfaces of functions in a VPC, whose ids are not known before",
            "FindNetworkInterfaces": "EC2 offers no resource for lists",
            "OnlyLambdaItself": "forbids: the functions' own code, all interfaces",
        }.items()
    },
}
"""Statements with a wildcard in their actions or resources, and why they cannot do without."""

INTEGRATIONS = {
    "arn:${Partition}:states:::lambda:invoke": {"lambda:InvokeFunction"},
    "arn:${Partition}:states:::dynamodb:putItem": {"dynamodb:PutItem"},
    "arn:${Partition}:states:::aws-sdk:dynamodb:batchGetItem": {"dynamodb:BatchGetItem"},
    "arn:${Partition}:states:::ecs:runTask.sync": {
        "ecs:RunTask",
        "ecs:StopTask",
        "ecs:DescribeTasks",
        "ecs:TagResource",
        "iam:PassRole",
        "events:PutTargets",
        "events:PutRule",
        "events:DescribeRule",
    },
}
"""What the machine's role needs for each integration: Step Functions guide, "Integrating services"."""


def _actions(owner: str) -> set[str]:
    return {action for name, one in statements() if name == owner for action in listed(one["Action"])}


def _needed(state: dict[str, Any]) -> set[str]:
    if state["Resource"].endswith(":transactWriteItems"):
        items = state["Arguments"]["TransactItems"]
        # An item that is an expression makes one of several operations.
        operations = (
            re.findall(r"'(\w+)': \{'TableName'", item) if isinstance(item, str) else item for item in items
        )
        return {f"dynamodb:{operation}Item" for found in operations for operation in found}
    return INTEGRATIONS[state["Resource"]]


def test_every_wildcard_has_a_reason() -> None:
    """A statement with a wildcard is on the list of those that need one, and the list holds no other."""
    found = {
        (owner, one["Sid"])
        for owner, one in statements()
        if any("*" in text for part in ("Action", "Resource") for text in strings(one[part]))
    }
    assert found == set(WILDCARDS)


def test_no_statement_is_open_ended() -> None:
    """No statement allows all of a service or everything but something."""
    for owner, one in statements():
        assert not {"NotAction", "NotResource", "NotPrincipal"} & set(one), owner
        if one["Effect"] == "Allow":
            assert not [action for action in listed(one["Action"]) if "*" in action], owner


def test_roles_carry_no_managed_policy() -> None:
    """What a role may do stands in this template, by statement."""
    for name, role in resources("AWS::IAM::Role").items():
        assert "ManagedPolicyArns" not in role["Properties"], name
    for name, function in resources("AWS::Serverless::Function").items():
        assert "Role" in function["Properties"], name
        assert "Policies" not in function["Properties"], name


def test_the_machine_may_do_what_its_states_do() -> None:
    """The machine's role allows the calls of its states and the delivery of its log, nothing else."""
    for role, path in (("AgentSessionRole", DEFINITION), ("PreviewRole", PREVIEW)):
        needed = set().union(*(_needed(state) for state in tasks(path).values()))
        assert {action for action in _actions(role) if not action.startswith("logs:")} == needed, role


def test_the_task_role_reaches_broker_and_model_only() -> None:
    """A task may call the broker through its URL and invoke models: no data, no secret, no role."""
    assert _actions("TaskRole") == set()
    assert _actions("TaskPolicy") == {
        "lambda:InvokeFunctionUrl",
        "lambda:InvokeFunction",
        "bedrock:InvokeModel",
        "bedrock:InvokeModelWithResponseStream",
    }
    assert _actions("PreviewTaskRole") == set()
    assert _actions("PreviewTaskPolicy") == {"lambda:InvokeFunctionUrl", "lambda:InvokeFunction"}


def test_the_log_of_previews_is_read_where_it_is_told_how_they_are() -> None:
    """Nobody else reads a log, and those functions no other one."""
    reading = [(owner, one) for owner, one in statements() if "logs:GetLogEvents" in listed(one["Action"])]
    group = {"Fn::GetAtt": "PreviewLogGroup.Arn"}
    assert [(owner, one["Action"], one["Resource"]) for owner, one in reading] == [
        ("RoutePreviewRole", "logs:GetLogEvents", group),
        ("RemovePreviewRole", "logs:GetLogEvents", group),
    ]


def test_a_task_cannot_pretend_to_be_another() -> None:
    """Invoking the broker other than through its URL would let the caller write its own identity."""
    direct = [
        one for _, one in statements() if one["Action"] == "lambda:InvokeFunction" and "Condition" in one
    ]
    assert len(direct) == 2, "those of the agent's tasks and of the previews'"
    assert all(one["Condition"] == {"Bool": {"lambda:InvokedViaFunctionUrl": "true"}} for one in direct)
    assert template()["Resources"]["BrokerFunctionUrl"]["Properties"]["AuthType"] == "AWS_IAM"


def test_only_who_mints_tokens_reads_the_private_key() -> None:
    """The App's secret is readable by the functions that call GitHub as the App, and by no task."""
    reading = [
        (owner, one) for owner, one in statements() if one["Action"] == "secretsmanager:GetSecretValue"
    ]
    readers = {owner for owner, one in reading if "GitHubAppSecret" in set(strings(one))}
    assert readers == {
        "OpenPullRequestRole",
        "ReportOutcomeRole",
        "ReconcileRole",
        "BrokerPolicy",
        "EventsRole",
        "PreparePreviewRole",
        "RoutePreviewRole",
        "RemovePreviewRole",
    }


def test_a_key_of_one_s_own_opens_secrets_only_through_secrets_manager() -> None:
    """Exactly the roles that read secrets may decrypt, nothing but these secrets, and not by calling KMS.

    https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html names the context.
    """
    ((owner, one),) = [(owner, one) for owner, one in statements() if "kms:" in str(one["Action"])]
    policy = template()["Resources"][owner]
    assert (policy["Condition"], one["Action"], one["Resource"]) == (
        "HasSecretsKey",
        "kms:Decrypt",
        {"Ref": "SecretsKmsKeyArn"},
    )
    assert set(one["Condition"]["StringEquals"]) == {"kms:ViaService", "kms:EncryptionContext:SecretARN"}
    readers = {name for name, one in statements() if one["Action"] == "secretsmanager:GetSecretValue"}
    assert _roles(owner) == set().union(*map(_roles, readers))


def _roles(owner: str) -> set[str]:
    """Return the roles that a role, or a policy of several, stands for."""
    properties = template()["Resources"][owner]["Properties"]
    named = {
        role["Fn::If"][1]["Ref"] if "Fn::If" in role else role["Ref"] for role in properties.get("Roles", ())
    }
    return named or {owner}


def test_jira_s_secrets_are_read_by_those_who_need_them() -> None:
    """Its token is for who opens, reports and sweeps; its webhook reads the webhook's secret alone."""
    readers: dict[str, set[str]] = {"JiraSecretArn": set(), "JiraWebhookSecretArn": set()}
    for owner, one in statements():
        for secret in readers.keys() & set(strings(one["Resource"])):
            assert one["Action"] == "secretsmanager:GetSecretValue"
            readers[secret] |= _roles(owner)
    assert readers == {
        "JiraSecretArn": {"OpenPullRequestRole", "ReportOutcomeRole", "ReconcileRole"},
        "JiraWebhookSecretArn": {"JiraWebhookRole"},
    }
    assert _actions("JiraWebhookRole") == {
        *("logs:CreateLogStream", "logs:PutLogEvents", "secretsmanager:GetSecretValue"),
        *("sqs:SendMessage", "states:StartExecution"),
    }


def test_without_jira_nothing_of_it_is_deployed() -> None:
    """Function, role, log, policy and secrets of Jira are there with JiraBaseUrl only."""
    jira = {name: one for name, one in template()["Resources"].items() if name.startswith("Jira")}
    assert len(jira) == 6
    assert {one.get("Condition") for one in jira.values()} == {
        "UseJira",
        "CreateJiraSecret",
        "CreateJiraWebhookSecret",
    }


def test_functions_in_a_vpc_get_interfaces_and_their_code_does_not() -> None:
    """All functions that call GitHub can be attached; the right to make interfaces is Lambda's alone."""
    policies = {
        name.removesuffix("Role"): [
            one["Fn::If"][1]
            for one in role["Properties"].get("Policies", [])
            if one.get("Fn::If", [""])[0] == "AttachFunctions"
        ]
        for name, role in resources("AWS::IAM::Role").items()
    }
    roles = {name for name, found in policies.items() if found}
    attached = {
        name.removesuffix("Function")
        for name, one in resources("AWS::Serverless::Function").items()
        if one["Properties"].get("VpcConfig", {}).get("Fn::If", [""])[0] == "AttachFunctions"
    }
    calling = {
        name.removesuffix("Function")
        for name, one in resources("AWS::Serverless::Function").items()
        if "GITHUB_API_URL" in one["Properties"]["Environment"]["Variables"]
    }
    assert roles == attached == calling
    for (policy,) in (found for found in policies.values() if found):
        allow, _, deny = policy["PolicyDocument"]["Statement"]
        assert (deny["Effect"], deny["Action"]) == ("Deny", allow["Action"])
        assert deny["Condition"] == {"Null": {"lambda:SourceFunctionArn": "false"}}


def test_only_the_broker_assumes_the_session_role() -> None:
    """The credentials of sessions come from the broker."""
    trust = template()["Resources"]["SessionRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert [one["Principal"] for one in trust] == [{"AWS": {"Fn::GetAtt": "BrokerRole.Arn"}}]
    assert [owner for owner, one in statements() if one["Action"] == "sts:AssumeRole"] == ["BrokerPolicy"]
