"""What CloudFormation refuses before it creates anything."""

from __future__ import annotations

import pytest

from tests.template.kit import defaults, is_true, template

KEY = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:key"
LISTENER = (
    "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/a/50dc6c495c0c91/f2f7dc8efc522ab2"
)
NETWORK = {"VpcId": "vpc-01234567", "SubnetIds": "subnet-01234567"}
BALANCER = {
    "AlbListenerArn": LISTENER,
    "AlbSecurityGroupId": "sg-01234567",
    "PreviewDomainSuffix": "preview.example.com",
}
CERTIFICATE = "arn:aws:acm:eu-west-1:111122223333:certificate/12345678-1234-1234-1234-123456789012"
OWN = {"PreviewCertificateArn": CERTIFICATE, "PreviewDomainSuffix": "preview.example.com"}
HTTP = {"PreviewHttpPort": "8080", "PreviewDomainSuffix": "preview.example.com"}
RANGES = {"PreviewAllowedCidrs": "203.0.113.0/24,198.51.100.7/32"}
IPV6 = {"PreviewAllowedIpv6Cidrs": "2001:db8:1::/48"}
MODEL = "arn:aws:bedrock:eu-west-1::foundation-model/anthropic.claude-opus-5-5"
WITHOUT_FUNCTION_URLS = [
    "ap-east-2",
    "ap-south-2",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-west-1",
    "eu-central-2",
    "eu-south-2",
    "il-central-1",
    "me-central-1",
]
"""https://docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html, read in November 2026."""


def _refusals(region: str = "us-east-1", **parameters: str) -> list[str]:
    """Name of the rules that refuse a deployment."""
    values = defaults() | {"AWS::Region": region} | parameters
    return [
        name
        for name, rule in template()["Rules"].items()
        if "RuleCondition" not in rule or is_true(rule["RuleCondition"], values)
        if not all(is_true(one["Assert"], values) for one in rule["Assertions"])
    ]


def test_every_rule_explains_itself() -> None:
    """Whoever is refused reads a sentence."""
    for rule in template()["Rules"].values():
        assert all(one["AssertDescription"].endswith(".") for one in rule["Assertions"])


def test_the_defaults_are_refused_by_no_rule() -> None:
    """What nobody has changed can be deployed."""
    assert _refusals() == []


@pytest.mark.parametrize("region", WITHOUT_FUNCTION_URLS)
def test_a_region_without_function_urls_is_refused(region: str) -> None:
    """A stack that could never be reached is not begun."""
    assert _refusals(region) == ["RegionHasFunctionUrls"]


@pytest.mark.parametrize("region", ["eu-central-1", "ap-southeast-3", "us-gov-west-1", "cn-north-1"])
def test_other_regions_are_not(region: str) -> None:
    """Only the regions on AWS's list are refused."""
    assert _refusals(region) == []


@pytest.mark.parametrize(
    ("parameters", "refused_by"),
    [
        ({"AssignPublicIp": "DISABLED"}, ["OwnVpcNeedsPublicAddresses"]),
        ({"AssignPublicIp": "DISABLED", "VpcId": "vpc-01234567", "SubnetIds": "subnet-01234567"}, []),
        ({"AssignPublicIp": "ENABLED", "VpcId": "vpc-01234567", "SubnetIds": "subnet-01234567"}, []),
        ({"ModelKeySecretArn": KEY}, ["ModelKeyIsForAnthropic"]),
        ({"ModelKeySecretArn": KEY, "ModelProvider": "anthropic"}, []),
        ({"AdditionalModelArns": MODEL}, []),
        (
            {"AdditionalModelArns": f"{MODEL},{MODEL}", "ModelProvider": "anthropic"},
            ["MoreModelsAreForBedrock"],
        ),
        ({"VpcId": "vpc-01234567"}, ["ExistingVpcNeedsSubnets"]),
        ({"SubnetIds": "subnet-01234567"}, ["SubnetsNeedTheirVpc"]),
        ({"FunctionsInVpc": "true"}, ["FunctionsInVpcNeedSubnets"]),
        ({"FunctionsInVpc": "true", "VpcId": "vpc-01234567", "SubnetIds": "subnet-01234567"}, []),
        (BALANCER, ["PreviewsNeedTheirLoadBalancer"]),
        (NETWORK | BALANCER, []),
        (NETWORK | BALANCER | {"AlbSecurityGroupId": ""}, ["PreviewsNeedTheirLoadBalancer"]),
        (NETWORK | BALANCER | {"PreviewDomainSuffix": ""}, ["PreviewsNeedTheirLoadBalancer"]),
        (
            NETWORK | BALANCER | {"AlbListenerArn": ""},
            ["LoadBalancerHasItsListener", "LoadBalancerIsForPreviews"],
        ),
        (NETWORK | BALANCER | {"PreviewStagingLabel": "uat"}, ["PreviewLabelsDiffer"]),
        (NETWORK | BALANCER | {"PreviewCertificateArn": CERTIFICATE}, ["PreviewsNeedTheirLoadBalancer"]),
        (NETWORK | BALANCER | {"PreviewHttpPort": "80"}, ["PreviewsNeedTheirLoadBalancer"]),
        (OWN, []),
        (NETWORK | OWN, []),
        (HTTP, []),
        (HTTP | {"PreviewSecretArn": KEY}, []),
        (OWN | HTTP, ["OwnLoadBalancerNeedsItsDomain"]),
        (OWN | {"PreviewDomainSuffix": ""}, ["OwnLoadBalancerNeedsItsDomain"]),
        (HTTP | {"PreviewDomainSuffix": ""}, ["OwnLoadBalancerNeedsItsDomain"]),
        (OWN | {"AlbSecurityGroupId": "sg-01234567"}, ["LoadBalancerHasItsListener"]),
        (OWN | {"PreviewStagingLabel": "uat"}, ["PreviewLabelsDiffer"]),
        ({"PreviewDomainSuffix": "preview.example.com"}, ["LoadBalancerIsForPreviews"]),
        ({"PreviewSecretArn": KEY}, ["LoadBalancerIsForPreviews"]),
        (OWN | RANGES, []),
        (HTTP | RANGES, []),
        (RANGES, ["RangesAreOfTheStacksLoadBalancer"]),
        (NETWORK | BALANCER | RANGES, ["RangesAreOfTheStacksLoadBalancer"]),
        (NETWORK | BALANCER | IPV6, ["RangesAreOfTheStacksLoadBalancer"]),
        (NETWORK | OWN | RANGES | IPV6, []),
        (OWN | IPV6, ["Ipv6NeedsSubnetsWithIt"]),
        ({"PreviewCpu": "256", "PreviewMemory": "4096"}, ["PreviewOf256"]),
        ({"PreviewCpu": "4096", "PreviewMemory": "8192"}, []),
        ({"TaskCpu": "1024", "TaskMemory": "16384"}, ["OneCpu"]),
        ({"TaskCpu": "8192", "TaskMemory": "8192"}, ["EightCpus"]),
        ({"TaskCpu": "8192", "TaskMemory": "32768"}, []),
    ],
)
def test_parameters_that_contradict_each_other_are_refused(
    parameters: dict[str, str], refused_by: list[str]
) -> None:
    """Networks that lead nowhere, models of another provider and impossible sizes are named by their rule."""
    assert _refusals(**parameters) == refused_by
