"""What the dev box may do, by the judge of tests/integration/policies.py, both ways."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import pytest
from moto.iam.aws_managed_policies import aws_managed_policies_data

from tests.integration.policies import ACCOUNT, refusal
from tests.template.devbox_kit import ACCOUNT_ID, ATTRIBUTES, DEVBOX, MAIN, VALUES, boundary, policies
from tests.template.kit import ROOT, listed, resources, statements, strings, template

WILDCARDS = {
    ("BoxRole", "SessionManager"): "Systems Manager offers no resource for most of these actions",
    ("BoxRole", "StartTask"): "every revision of the one family",
    ("BoxRole", "FollowTask"): "every task of the one cluster",
    ("BoxRole", "ListTasks"): "Fargate has no container instances; the condition names the cluster",
    ("BoxRole", "Sessions"): "every execution of the one machine",
    ("BoxRole", "Records"): "every index of the one table",
    ("BoxRole", "Artifacts"): "every session's folder",
    ("BoxRole", "Logs"): "every log group of the one stack",
    ("BoxRole", "OwnMetric"): "CloudWatch offers no resource for metrics; the condition names the namespace",
    ("BoxRole", "Model"): "the developer chooses the model, and profiles choose regions",
    ("BoxRole", "Images"): "CloudFormation names the repository of previews, by the stack's name",
    ("BoxRole", "Deploy"): "a stack's ARN ends with an id",
    ("BoxRole", "FollowDeployment"): "a stack's ARN ends with an id",
    ("BoxRole", "Certificate"): "the certificate is a parameter of the stack, and is only described",
    ("BoxRole", "WithoutResource"): "their services offer no resource, or only lists of all",
    ("BoxRole", "Releases"): "CloudFormation gives names that begin with the stack's",
    ("BoxRole", "Uploads"): "a stack's ARN ends with an id",
    ("BoxRole", "UploadPackages"): "the bucket of the SAM CLI ends with an id; the folder is the stack's",
    ("BoxRole", "FindUploads"): "the bucket of the SAM CLI ends with an id",
    **{
        ("DeploymentRole", sid): "CloudFormation gives names that begin with the stack's"
        for sid in (
            "RolesWithBoundary",
            "Roles",
            "PassRoles",
            "Functions",
            "Rules",
            "Queues",
            "Topic",
            "Cluster",
        )
    },
    ("DeploymentRole", "NotItsOwn"): "forbids: everything with the box's own roles and the boundary",
    ("DeploymentRole", "KeepTheBoundary"): "forbids: taking any role's boundary away",
    ("DeploymentRole", "EventSources"): "their ids are not known before; the condition names the functions",
    ("DeploymentRole", "Packages"): "the bucket of the SAM CLI ends with an id; the folder is the stack's",
    ("DeploymentRole", "Machine"): "every version and alias of the two machines",
    ("DeploymentRole", "TaskDefinitions"): "ECS offers no resource for two of these actions",
    ("DeploymentRole", "LogGroups"): "every log group of the one stack",
    ("DeploymentRole", "Alarms"): "CloudFormation gives names that begin with the stack's or the logical id",
    ("DeploymentRole", "FindLists"): "EC2, Logs and Systems Manager offer no resource for lists",
    ("DeploymentRole", "Network"): "ids are CloudFormation's; the condition names its tag of the one stack",
    ("Boundary", "Call"): "every function of the one stack, in all versions",
    ("Boundary", "Records"): "every index of the one table",
    ("Boundary", "Artifacts"): "every session's folder",
    ("Boundary", "Queues"): "every queue of the one stack",
    ("Boundary", "KeysOfSecrets"): "a key of one's own is a parameter; only Secrets Manager may use it",
    ("Boundary", "Sessions"): "every execution of the one machine",
    ("Boundary", "StartTasks"): "every revision of the agent's families",
    ("Boundary", "Tasks"): "every task of the one cluster",
    ("Boundary", "SessionCredentials"): "CloudFormation gives names that begin with the stack's",
    ("Boundary", "PassTaskRoles"): "CloudFormation gives names that begin with the stack's",
    ("Boundary", "Image"): "CloudFormation gives names that begin with the stack's",
    ("Boundary", "Routes"): "previews' rules and groups; the roles keep it to those that are theirs",
    ("Boundary", "Model"): "which models is the main stack's parameter",
    ("Boundary", "Logs"): "every log group of the one stack",
    ("Boundary", "WithoutResource"): "their services offer no resource",
    ("Boundary", "NetworkInterfaces"): "interfaces of functions in a VPC, whose ids are not known before",
}
"""Statements with a wildcard in their actions or resources, and why they cannot do without."""

LONGEST_ROLE, LONGEST_MANAGED = 10_240, 6_144
"""Characters without spaces: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html."""

OPERATORS = {
    # Another deployment than the box's makes or removes these.
    "dynamodb:CreateTable",
    "dynamodb:DeleteTable",
    "ecr:CreateRepository",
    "ecr:DeleteRepository",
    "s3:CreateBucket",
    "s3:DeleteBucket",
    "s3:DeleteObject",
    "secretsmanager:CreateSecret",
    "secretsmanager:DeleteSecret",
    "ssm:DeleteParameter",
    # Their values, which are nobody's business here.
    "secretsmanager:GetRandomPassword",
    "secretsmanager:GetSecretValue",
    "secretsmanager:UpdateSecret",
    # Never allowed: the boundary stays.
    "iam:DeleteRolePermissionsBoundary",
}
"""Actions of CloudFormation's handlers that the deployment role is without on purpose."""
UNUSED = re.compile(
    r"elasticfilesystem:|firehose:|kinesis:|kms:|s3:REST\.|S3:"
    r"|iam:CreateServiceLinkedRole|secretsmanager:.*Repl"
    r"|lambda:(GetCodeSigningConfig|GetLayerVersion|.*CodeSigningConfig|PassCapacityProvider)"
    r"|lambda:(PutFunctionRecursionConfig|PutFunctionScalingConfig)"
    r"|logs:(CreateLogDelivery|.*DataProtectionPolicy|.*ResourcePolic|CreateLogStream|PutLogEvents|DescribeLogStreams)"
    r"|sns:PutDataProtectionPolicy|dynamodb:(.*Kinesis.*|.*Import.*|UpdateContributorInsights)"
    r"|ecr:(Set|Delete)RepositoryPolicy"
    r"|ec2:(Create(?!Tags)|Delete(?!Tags)|Associate|Disassociate|Attach|Detach|Replace|ModifyVpcTenancy|DescribeNetworkAcls)"
    r"|s3:.*(Accelerate|Acl|CORS|Cors|Logging|Notification|ObjectLock|Replication|Website|Analytics|Inventory|Metrics|Tiering)"
    r"|s3:(GetObject.*|DeleteBucket.*)|s3:PutObject"
)
"""Actions for properties that the main template does not use, and those that make or remove a network."""


@cache
def schemas() -> dict[str, dict[str, Any]]:
    """Return AWS's schemas of resource types by type, those that LocalStack brings."""
    services = ROOT / ".local/venvs/localstack/lib"
    folder = "python3*/site-packages/localstack/services/*/resource_providers"
    files = [*services.glob(f"{folder}/*.schema.json"), *services.glob(f"{folder}/generated/*.schema.json")]
    found = (json.loads(file.read_text(encoding="utf-8")) for file in files)
    return {schema["typeName"]: schema for schema in found}


def handlers(kind: str) -> set[str]:
    """Return the actions that a type's schema says CloudFormation needs; empty where it says none."""
    found = schemas()[kind].get("handlers", {})
    return {
        action
        for handler in ("create", "read", "update", "delete")
        for action in found.get(handler, {}).get("permissions", [])
    }


def _call(action: str, resource: str, **context: Any) -> dict[str, Any]:
    service, _, operation = action.partition(":")
    return {"service": service, "operation": operation, "resources": {"Arn": resource}, "context": context}


def _may(role: str, action: str, resource: str, **context: Any) -> bool:
    return refusal(policies(role), _call(action, resource, **context)) == ""


def test_every_wildcard_has_a_reason() -> None:
    """A statement with a wildcard is on the list of those that need one, and the list holds no other."""
    found = {
        (owner, one["Sid"])
        for owner, one in statements(DEVBOX)
        if any("*" in text for part in ("Action", "Resource") for text in strings(one[part]))
    }
    assert found == set(WILDCARDS)


def test_no_statement_is_open_ended() -> None:
    """No statement allows all of a service or everything but something; no role carries others' policies."""
    for owner, one in statements(DEVBOX):
        assert not {"NotAction", "NotResource", "NotPrincipal"} & set(one), owner
        if one["Effect"] == "Allow":
            assert not [action for action in listed(one["Action"]) if "*" in action], owner
    for name in ("BoxRole", "DeploymentRole", "ScheduleRole"):
        assert "ManagedPolicyArns" not in template(DEVBOX)["Resources"][name]["Properties"]


def test_policies_are_no_longer_than_iam_takes() -> None:
    """All inline policies of a role together, and the boundary, are below their quotas."""
    for name in ("BoxRole", "DeploymentRole"):
        texts = [json.dumps(policy, separators=(",", ":")) for policy in policies(name)]
        assert sum(map(len, texts)) < LONGEST_ROLE, name
    assert len(json.dumps(boundary(), separators=(",", ":"))) < LONGEST_MANAGED


def test_session_manager_gets_what_awss_own_policy_gives() -> None:
    """The actions are those of AmazonSSMManagedInstanceCore, but for one parameter instead of all."""
    published = json.loads(aws_managed_policies_data)["AmazonSSMManagedInstanceCore"]["Document"]
    wanted = {action for one in published["Statement"] for action in listed(one["Action"])}
    ours = {
        action
        for owner, one in statements(DEVBOX)
        if owner == "BoxRole" and one["Sid"] in {"SessionManager", "Parameters"}
        for action in listed(one["Action"])
    }
    assert ours - wanted == {"ssm:GetParameterHistory"}
    assert wanted <= ours
    assert not _may("BoxRole", "ssm:GetParameter", f"arn:aws:ssm:{ACCOUNT}:parameter/other")


def test_the_box_starts_no_machine_and_makes_no_role() -> None:
    """Of EC2 it may do nothing, of IAM it may pass three roles, each to its one service."""
    actions = {
        action for owner, one in statements(DEVBOX) if owner == "BoxRole" for action in listed(one["Action"])
    }
    assert not {action for action in actions if action.startswith("ec2:")}
    assert {action for action in actions if action.startswith(("iam:", "sts:"))} == {"iam:PassRole"}
    deployment, task = ATTRIBUTES["DeploymentRole.Arn"], VALUES["TaskRoleArn"]
    passed = "iam:PassedToService"
    assert _may("BoxRole", "iam:PassRole", deployment, **{passed: "cloudformation.amazonaws.com"})
    assert not _may("BoxRole", "iam:PassRole", deployment, **{passed: "lambda.amazonaws.com"})
    assert _may("BoxRole", "iam:PassRole", task, **{passed: "ecs-tasks.amazonaws.com"})
    assert not _may("BoxRole", "iam:PassRole", task, **{passed: "ec2.amazonaws.com"})
    assert not _may("BoxRole", "iam:PassRole", ATTRIBUTES["BoxRole.Arn"], **{passed: "ec2.amazonaws.com"})


def test_the_box_deploys_by_the_deployment_role_alone() -> None:
    """A change set of the main stack with this role; without it, with another, or of another stack: none."""
    main = f"arn:aws:cloudformation:{ACCOUNT}:stack/{MAIN}/1"
    role = "cloudformation:RoleArn"
    create = "cloudformation:CreateChangeSet"
    assert _may("BoxRole", create, main, **{role: ATTRIBUTES["DeploymentRole.Arn"]})
    assert not _may("BoxRole", create, main, **{role: []})
    assert not _may("BoxRole", create, main, **{role: ATTRIBUTES["BoxRole.Arn"]})
    own = f"arn:aws:cloudformation:{ACCOUNT}:stack/{MAIN}-devbox/1"
    assert not _may("BoxRole", create, own, **{role: ATTRIBUTES["DeploymentRole.Arn"]})
    for action in ("DeleteStack", "UpdateStack", "CreateStack", "UpdateTerminationProtection"):
        assert not _may("BoxRole", f"cloudformation:{action}", main)


ROLE = f"arn:aws:iam::{ACCOUNT_ID}:role/{MAIN}-WebhookRole-x"
HELD = {"iam:PermissionsBoundary": ATTRIBUTES["Boundary"]}
FREE: dict[str, Any] = {"iam:PermissionsBoundary": []}
OTHER = {"iam:PermissionsBoundary": f"arn:aws:iam::{ACCOUNT_ID}:policy/other"}


@pytest.mark.parametrize("action", ["CreateRole", "PutRolePolicy", "AttachRolePolicy", "DeleteRolePolicy"])
def test_the_deployment_makes_no_role_without_the_boundary(action: str) -> None:
    """With the boundary it may, without it or with another it may not.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
    """
    assert _may("DeploymentRole", f"iam:{action}", ROLE, **HELD)
    assert not _may("DeploymentRole", f"iam:{action}", ROLE, **FREE)
    assert not _may("DeploymentRole", f"iam:{action}", ROLE, **OTHER)
    assert not _may("DeploymentRole", f"iam:{action}", f"arn:aws:iam::{ACCOUNT_ID}:role/admin", **HELD)


def test_nobody_gets_out_of_the_boundary() -> None:
    """It stays on roles and keeps its text, and the box's own roles are out of reach."""
    assert not _may("DeploymentRole", "iam:DeleteRolePermissionsBoundary", ROLE, **HELD)
    for action in ("CreatePolicyVersion", "SetDefaultPolicyVersion", "DeletePolicy"):
        assert not _may("DeploymentRole", f"iam:{action}", ATTRIBUTES["Boundary"])
    for name in ("BoxRole.Arn", "DeploymentRole.Arn", "ScheduleRole.Arn"):
        for action in ("PutRolePolicy", "UpdateAssumeRolePolicy", "PassRole", "DeleteRole"):
            assert not _may("DeploymentRole", f"iam:{action}", ATTRIBUTES[name], **HELD), (name, action)
    for action in ("CreateUser", "CreateAccessKey", "PutUserPolicy", "CreateInstanceProfile"):
        assert not _may("DeploymentRole", f"iam:{action}", "*"), action


def test_the_deployment_starts_no_machine() -> None:
    """Nor network: of EC2 it changes what the main stack has made."""
    tag = "aws:ResourceTag/aws:cloudformation:stack-name"
    for action in ("RunInstances", "TerminateInstances", "CreateVpc", "AuthorizeSecurityGroupIngress"):
        assert not _may("DeploymentRole", f"ec2:{action}", "*", **{tag: MAIN}), action
    group = f"arn:aws:ec2:{ACCOUNT}:security-group/sg-1"
    assert _may("DeploymentRole", "ec2:AuthorizeSecurityGroupEgress", group, **{tag: MAIN})
    assert not _may("DeploymentRole", "ec2:AuthorizeSecurityGroupEgress", group, **{tag: "other"})


def test_the_boundary_has_room_for_the_main_stacks_roles() -> None:
    """Whatever a role of the main stack may do, it may still do with the boundary."""
    allowed = {action for one in boundary()["Statement"] for action in listed(one["Action"])}
    roles = {*resources("AWS::IAM::Role"), *resources("AWS::IAM::Policy")}
    needed = {
        action
        for owner, one in statements()
        if owner in roles and one["Effect"] == "Allow"
        for action in listed(one["Action"])
    }
    assert needed == allowed


WITHOUT_SCHEMA = {
    "AWS::Budgets::Budget",
    "AWS::CloudTrail::Trail",
    "AWS::CloudWatch::Dashboard",
    # These three are of previews' own load balancer, a network that an operator's deployment makes.
    "AWS::EC2::SecurityGroupEgress",
    "AWS::ElasticLoadBalancingV2::Listener",
    "AWS::ElasticLoadBalancingV2::LoadBalancer",
    "AWS::ECS::Cluster",
    "AWS::ECS::ClusterCapacityProviderAssociations",
    "AWS::ECS::TaskDefinition",
}
"""Types whose schema LocalStack does not bring: what they need is not held against anything here."""
KINDS = sorted(
    {one["Type"] for one in template()["Resources"].values() if not one["Type"].startswith("AWS::Serverless")}
    | {"AWS::Lambda::Function", "AWS::Lambda::Url", "AWS::Lambda::EventSourceMapping"}
    | {"AWS::StepFunctions::StateMachine"}
)


@pytest.mark.parametrize("kind", KINDS)
def test_the_deployment_may_do_what_cloudformation_does(kind: str) -> None:
    """Each action that a type's published schema asks for is allowed, or left out with a reason."""
    if kind not in schemas():
        assert kind in WITHOUT_SCHEMA
        return
    allowed = {
        action
        for owner, one in statements(DEVBOX)
        if owner == "DeploymentRole" and one["Effect"] == "Allow"
        for action in listed(one["Action"])
    }
    missing = {
        action for action in handlers(kind) if action not in allowed | OPERATORS and not UNUSED.match(action)
    }
    assert missing == set()


def test_the_deployment_is_held_against_most_of_the_types() -> None:
    """The check above had schemas with actions to look at, and exceptions leave something to be missed."""
    kinds = [kind for kind in KINDS if kind in schemas() and handlers(kind)]
    assert len(kinds) >= 15
    assert {"lambda:UpdateFunctionCode", "states:UpdateStateMachine", "sqs:SetQueueAttributes"} <= {
        action for kind in kinds for action in handlers(kind) if not UNUSED.match(action)
    }
