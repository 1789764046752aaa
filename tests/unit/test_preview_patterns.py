"""Which hosts a rule of a listener is for: names and patterns that others may have put there."""

from __future__ import annotations

import fnmatch
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullwright.previewing.hosts import host_label
from pullwright.previewing.patterns import is_claimed
from pullwright_engine.elbv2.refused import RefusedError, check_rule
from tests.template.kit import template

SUFFIX = "preview.example.com"
HOST = f"uat-main.{SUFFIX}"


def _rule(*hosts: str, **more: Any) -> dict[str, Any]:
    return {"Conditions": [{"Field": "host-header", "HostHeaderConfig": {"Values": list(hosts), **more}}]}


@pytest.mark.parametrize(
    "rule",
    [
        _rule(HOST),
        _rule("a.example.com", HOST.upper()),
        _rule("uat-*.preview.example.com"),
        _rule("*main.preview.example.com"),
        _rule("?at-main.*.com"),
        _rule(RegexValues=["uat-.*"]),
        {"Conditions": [{"Field": "host-header", "Values": [HOST]}]},
        {"Conditions": [{"Field": "path-pattern", "Values": ["/x"]}, *_rule(HOST)["Conditions"]]},
    ],
)
def test_a_rule_that_names_a_host_claims_it(rule: dict[str, Any]) -> None:
    """By its name, a pattern or an expression, in either place of the API's answer, with other conditions."""
    assert is_claimed(HOST, rule)


@pytest.mark.parametrize(
    "rule",
    [
        _rule("*.preview.example.com"),
        _rule("*.example.com", "*"),
        _rule("uat-main.preview.example.org", "www.example.com"),
        _rule(RegexValues=[r"^[a-z0-9-]+\.preview\.example\.com$", "("]),
        {"Conditions": [{"Field": "path-pattern", "Values": [HOST]}]},
        {"Conditions": []},
    ],
)
def test_a_rule_for_all_of_a_domain_leaves_its_hosts_to_others(rule: dict[str, Any]) -> None:
    """Such as a page that stands where no preview is, the default rule, and rules for other hosts."""
    assert not is_claimed(HOST, rule)


@given(st.text("uatmin-*?.", max_size=12))
def test_a_pattern_means_what_it_means_to_the_load_balancer(pattern: str) -> None:
    """`*` stands for any characters and `?` for one, as `fnmatch` has it for patterns without brackets."""
    host = "uat-main.a"
    if is_claimed(host, _rule(pattern)):
        assert fnmatch.fnmatchcase(host, pattern)
    elif fnmatch.fnmatchcase(host, pattern):
        assert "*" in pattern or "?" in pattern


@given(st.text(max_size=100), st.integers(1, 40))
def test_a_rule_takes_every_host_that_a_preview_may_have(branch: str, labels: int) -> None:
    """As API_HostHeaderConditionConfig has it: 128 characters, and letters alone after the last dot."""
    parameter = template()["Parameters"]["PreviewDomainSuffix"]
    suffix = ("a." * labels + "example")[-parameter["MaxLength"] :].lstrip(".")
    values = [f"{host_label(branch * 9)}.{suffix}"]
    check_rule({"Conditions": [{"Field": "host-header", "Values": values}]}, rules=0, quota=1)


@pytest.mark.parametrize(
    "host", ["a" * 122 + ".example", "a.example.c0m", "a.xn--p1ai", "a_b.example.com", "a"]
)
def test_the_engine_refuses_the_hosts_that_aws_refuses(host: str) -> None:
    """As API_HostHeaderConditionConfig and the guide to rules' conditions have it."""
    with pytest.raises(RefusedError):
        check_rule({"Conditions": [{"Field": "host-header", "Values": [host]}]}, rules=0, quota=1)
