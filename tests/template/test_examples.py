"""docs/examples: the role with which GitHub Actions deploys, and the workflow that takes it."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from tests.template.kit import ROOT, _Loader, listed, strings

EXAMPLES = ROOT / "docs" / "examples"
WITHOUT_RESOURCE = {
    # https://docs.aws.amazon.com/service-authorization/latest/reference/ lists them without a resource type.
    *("cloudformation:GetTemplateSummary", "ecr:GetAuthorizationToken", "ecs:DescribeTaskDefinition"),
    *("lambda:GetAccountSettings", "servicequotas:GetServiceQuota"),
}


@pytest.fixture(scope="module")
def role() -> dict[str, Any]:
    """Provide the role's properties."""
    text = (EXAMPLES / "github-role.yaml").read_text(encoding="utf-8")
    document: dict[str, Any] = yaml.load(text, _Loader)  # noqa: S506 - plain values only
    properties: dict[str, Any] = document["Resources"]["DeployRole"]["Properties"]
    return properties


@pytest.fixture(scope="module")
def workflow() -> str:
    """Provide the workflow's text."""
    return (EXAMPLES / "deploy.yml").read_text(encoding="utf-8")


def test_one_environment_of_one_repository_is_trusted(role: dict[str, Any]) -> None:
    """GitHub signs for everybody: subject and audience are compared whole.

    https://docs.github.com/en/actions/how-tos/secure-your-work/security-harden-deployments/oidc-in-aws
    """
    [statement] = role["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
    issuer = "token.actions.githubusercontent.com"
    subject = {"Fn::Sub": "repo:${Repository}:environment:${EnvironmentName}"}
    assert statement["Condition"] == {
        "StringEquals": {f"{issuer}:aud": "sts.amazonaws.com", f"{issuer}:sub": subject}
    }


def test_every_statement_names_actions_and_resources(role: dict[str, Any]) -> None:
    """No action has a wildcard; a resource is all of them only where the service offers none."""
    [policy] = role["Policies"]
    for statement in policy["PolicyDocument"]["Statement"]:
        actions = set(listed(statement["Action"]))
        assert statement["Effect"] == "Allow"
        assert not [action for action in actions if "*" in action]
        if "*" in listed(statement["Resource"]):
            assert (statement["Sid"], actions) == ("WithoutResource", WITHOUT_RESOURCE)
        else:
            own = (
                "${MainStackName}",
                "aws-sam-cli-managed-default",
                "Serverless-2016-10-31",
                "DeploymentRoleArn",
            )
            texts = " ".join(strings(statement["Resource"]))
            given = ("AgentRepositoryArn", "${ReleaseParameter}", "${SessionsTable}", "${ArtifactsBucket}")
            assert any(name in texts for name in (*own, *given)), statement["Sid"]


def test_the_stack_is_changed_by_cloudformations_own_role_alone(role: dict[str, Any]) -> None:
    """A change set without that role is refused, and the role is passed to nobody else; no secret is read."""
    [policy] = role["Policies"]
    statements = {it["Sid"]: it for it in policy["PolicyDocument"]["Statement"]}
    assert statements["Deploy"]["Condition"] == {
        "ArnEquals": {"cloudformation:RoleArn": {"Ref": "DeploymentRoleArn"}}
    }
    assert statements["PassDeploymentRole"]["Condition"] == {
        "StringEquals": {"iam:PassedToService": "cloudformation.amazonaws.com"}
    }
    actions = {action for it in statements.values() for action in listed(it["Action"])}
    assert {action for action in actions if action.startswith("iam:")} == {"iam:PassRole"}
    assert not {action for action in actions if action.startswith(("secretsmanager:", "kms:"))}


def test_the_workflow_holds_no_key_and_pins_what_it_uses(workflow: str) -> None:
    """Every action by a full commit, no secret, and a token only for the job that asks for it."""
    used = re.findall(r"uses: (\S+)", workflow)
    assert used
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", name) for name in used)
    assert "secrets." not in workflow
    document = yaml.safe_load(workflow)
    assert document["permissions"] == {"contents": "read"}
    assert document["jobs"]["deploy"]["permissions"] == {"contents": "read", "id-token": "write"}
    assert document["jobs"]["deploy"]["environment"] == "prod"
