"""What an operator may choose, and what each environment chooses."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.template.kit import samconfig, template

PROFILES = "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile"
PARAMETERS: dict[str, dict[str, Any]] = template()["Parameters"]
ENVIRONMENTS = ("default", "staging", "prod")


def test_every_parameter_is_in_one_group() -> None:
    """The console shows each parameter once, under a heading."""
    groups = template()["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    grouped = [name for group in groups for name in group["Parameters"]]
    assert sorted(grouped) == sorted(PARAMETERS)


@pytest.mark.parametrize("name", PARAMETERS)
def test_every_parameter_is_checked_and_explained(name: str) -> None:
    """A wrong value is refused with a sentence, and there is a default that is not refused."""
    parameter = PARAMETERS[name]
    default = str(parameter["Default"])
    assert parameter["Description"].endswith(".")
    assert parameter["ConstraintDescription"].endswith(".")
    if "AllowedValues" in parameter:
        assert default in map(str, parameter["AllowedValues"])
    elif parameter["Type"] == "Number":
        assert parameter["MinValue"] <= float(default) <= parameter["MaxValue"]
    else:
        assert re.fullmatch(parameter["AllowedPattern"], default)


@pytest.mark.parametrize(
    ("name", "value", "accepted"),
    [
        ("GitHubApiUrl", "https://git.example.com/api/v3", True),
        ("GitHubApiUrl", "http://127.0.0.1:8080/api/v3", True),
        ("GitHubApiUrl", "http://git.example.com/api/v3", False),
        ("GitHubApiUrl", "https://api.github.com/", False),
        ("GitHubApiUrl", "https://user:secret@git.example.com/api/v3", False),
        ("ModelId", f"{PROFILES}/abc123", True),
        ("ModelId", "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.anthropic.claude-x", False),
        ("ModelPrices", "claude-sonnet-6=3/15", True),
        ("ModelPrices", "claude-sonnet-6=3/15/0.3,us.anthropic.claude-opus-9=10.5/50", True),
        ("ModelPrices", f"{PROFILES}/abc123=global.anthropic.claude-sonnet-5-5", True),
        ("ModelPrices", "claude-sonnet-6=3", False),
        ("ModelPrices", "claude-sonnet-6=3/15, claude-opus-6=3/15", False),
        ("ModelPrices", '{"claude-sonnet-6": [3, 15]}', False),
        ("TriggerLabel", "good first issue", True),
        ("TriggerLabel", "a,b", False),
        ("TriggerLabel", " a", False),
        ("TriggerLabel", "", False),
        ("EgressDomains", "open", True),
        ("EgressDomains", "python,example.org,*.example.net", True),
        ("EgressDomains", "any", False),
        ("EgressDomains", "ruby", False),
        ("EgressDomains", "10.0.0.1", False),
        ("EgressDomains", "example.org:443", False),
        ("EgressDomains", "a.*.example.org", False),
        ("EgressDomains", "example.org/path", False),
        ("EgressMayAdd", "any", True),
        ("EgressMayAdd", "none", True),
        ("EgressMayAdd", "open", False),
        ("EgressMayAdd", "*.example.net", True),
        (
            "AlbListenerArn",
            "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/a/50dc6c495c0c9188/f2f7dc8efc522ab2",
            True,
        ),
        ("AlbListenerArn", "shared", False),
        ("AlbSecurityGroupId", "sg-0a1b2c3d", True),
        ("AlbSecurityGroupId", "default", False),
        ("PreviewCertificateArn", "", True),
        ("PreviewCertificateArn", "arn:aws:acm:eu-west-1:111122223333:certificate/0a-1b", True),
        ("PreviewCertificateArn", "arn:aws:iam::111122223333:server-certificate/mine", False),
        ("PreviewHttpPort", "80", True),
        ("PreviewHttpPort", "65535", True),
        ("PreviewHttpPort", "0", False),
        ("PreviewHttpPort", "65536", False),
        ("PreviewDomainSuffix", "preview.example.com", True),
        ("PreviewDomainSuffix", "preview.localhost", True),
        ("PreviewDomainSuffix", "*.example.com", False),
        ("PreviewDomainSuffix", ".example.com", False),
        ("PreviewDomainSuffix", "example.c0m", False),
        ("PreviewDomainSuffix", "example.xn--p1ai", False),
        ("PreviewDomainSuffix", "example", False),
        ("PreviewPrefix", "", True),
        ("PreviewPrefix", "uat_1", False),
        ("PreviewLabel", "a,b", False),
        ("MentionName", "my-app-2", True),
        ("MentionName", "@pullwright", False),
        ("MentionName", "pull wright", False),
        ("MentionName", "", False),
        ("AllowedApps", "renovate,my-app-2", True),
        ("AllowedApps", "renovate[bot]", False),
        ("AllowedApps", "*", False),
        ("AllowedOwners", "", True),
        ("AllowedOwners", "octo-org", True),
        ("AllowedOwners", "Octo-Org,hexa/gadgets.js,name_corp", True),
        ("AllowedOwners", "*", True),
        ("AllowedOwners", "octo-org,*", False),
        ("AllowedOwners", "octo-*", False),
        ("AllowedOwners", "octo-org/*", False),
        ("AllowedOwners", "octo-org, hexa", False),
        ("AllowedOwners", "https://github.com/octo-org", False),
        ("AllowedOwners", "octo-org/", False),
        ("AllowedOwners", ",", False),
        ("AllowedOwners", "\u212aube", False),
        ("ModelId", "us.anthropic.claude-opus-4-1-20250805-v1:0", True),
        ("ModelId", "claude-sonnet-4-5", True),
        ("ModelId", "meta.llama3", False),
        (
            "AdditionalModelArns",
            "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/a1b2",
            True,
        ),
        ("AdditionalModelArns", "*", False),
        ("WebhookSecretArn", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:a/b-AbCdEf", True),
        ("WebhookSecretArn", "my-secret", False),
        ("SubnetIds", "subnet-0a1b2c3d,subnet-0a1b2c3e", True),
        ("SubnetIds", "subnet-0a1b2c3d, subnet-0a1b2c3e", False),
        ("VpcId", "subnet-0a1b2c3d", False),
        ("SecretsKmsKeyArn", "arn:aws:kms:eu-west-1:123456789012:key/1a2b-3c", True),
        ("SecretsKmsKeyArn", "arn:aws:kms:eu-west-1:123456789012:alias/mine", False),
        ("LogsKmsKeyArn", "1a2b-3c", False),
        ("WebhookReservedConcurrency", "0", False),
        ("AgentImageDigest", f"sha256:{'0a' * 32}", True),
        ("AgentImageDigest", "latest", False),
        ("AlarmEmail", "ops@example.com", True),
        ("AlarmEmail", "ops", False),
    ],
)
def test_parameters_accept_what_they_should(name: str, value: str, accepted: bool) -> None:  # noqa: FBT001 - a parameter of pytest's
    """Patterns let through what makes sense and stop what does not."""
    assert bool(re.fullmatch(PARAMETERS[name]["AllowedPattern"], value)) == accepted


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_no_deployment_asks_a_question(environment: str) -> None:
    """Each section of samconfig.toml answers everything that sam would ask, and tags what it deploys."""
    config = samconfig()[environment]
    deploy = config["deploy"]["parameters"]
    assert deploy["confirm_changeset"] is False
    assert deploy["fail_on_empty_changeset"] is False
    assert deploy["resolve_s3"] is True
    assert deploy["capabilities"] == "CAPABILITY_IAM"
    assert config["build"]["parameters"]["beta_features"] is True
    assert config["global"]["parameters"]["stack_name"] == f"pullwright-{environment}"
    assert deploy["tags"] == f"service=pullwright environment={environment}"


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_overrides_name_parameters(environment: str) -> None:
    """samconfig.toml sets only parameters that the template has."""
    given = samconfig()[environment]["deploy"]["parameters"].get("parameter_overrides", "")
    assert {pair.partition("=")[0] for pair in given.split()} <= set(PARAMETERS)


def test_only_the_deletion_of_prod_asks() -> None:
    """What people work with is not removed by a slip; its webhooks have a cap."""
    asks = {name: not samconfig()[name]["delete"]["parameters"]["no_prompts"] for name in ENVIRONMENTS}
    assert asks == {"default": False, "staging": False, "prod": True}
    assert "WebhookReservedConcurrency=" in samconfig()["prod"]["deploy"]["parameters"]["parameter_overrides"]
