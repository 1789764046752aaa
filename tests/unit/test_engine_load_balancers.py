"""The engine's load balancers, as far as they are plain functions."""

from __future__ import annotations

import fnmatch
from typing import Any

import h11
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pullwright_engine.ecs import shapes
from pullwright_engine.elbv2 import headers, health, refused
from pullwright_engine.elbv2.health import Health
from pullwright_engine.elbv2.table import Check, Fixed, Forward, Listener, Rule, Table

NOTHING = Fixed(404)


@given(st.text("ab*?.", max_size=6), st.text("ab.*", max_size=6))
@example("*.a", ".a")
def test_patterns_match_as_file_names_do(pattern: str, path: str) -> None:
    """`*` stands for any characters and `?` for one, as `fnmatch` has it for patterns without brackets."""
    assert Rule(NOTHING, paths=(pattern,)).matches("h", path) == fnmatch.fnmatchcase(path, pattern)


def test_the_first_rule_that_matches_has_the_request() -> None:
    """A rule's conditions hold together, any of their values is enough, and the default takes the rest."""
    one, two = Fixed(200), Fixed(201)
    listener = Listener(80, (Rule(one, ("a.x", "b.x"), ("/p/*",)), Rule(two, ("*.x",)), Rule(NOTHING)))
    assert listener.action("B.X", "/p/") is one
    assert listener.action("b.x", "/P/") is two
    assert listener.action("x", "/p/") is NOTHING


def test_a_group_of_weight_zero_is_in_use() -> None:
    """Its targets are checked, so that it can take over when they are well."""
    rule = Rule(Forward((("old", 1), ("new", 0))))
    assert Table({80: Listener(80, (rule, Rule(NOTHING)))}).groups_in_use() == {"old", "new"}


@pytest.mark.parametrize(
    ("codes", "status", "expected"),
    [("200", 200, True), ("200", 204, False), ("200-399", 302, True), ("204,301-399", 300, False)],
)
def test_a_check_expects_codes_and_ranges(codes: str, status: int, *, expected: bool) -> None:
    """Codes are written as the API takes them."""
    assert Check(codes=codes).expects(status) is expected


def test_a_target_is_healthy_after_one_check_and_then_by_the_thresholds() -> None:
    """One success at first; later as many in a row as the group says, in both directions.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
    """
    check = Check(healthy_after=3, unhealthy_after=2)
    target = Health()
    seen = []
    for failure in (health.FAILED, None, health.FAILED, health.TIMED_OUT, None, None, health.FAILED, None):
        target.record(failure, check)
        seen.append(target.condition.state)
    assert seen == ["initial", "healthy", "healthy", *["unhealthy"] * 5]
    target.record(None, check)
    target.record(None, check)
    assert target.condition.view() == {"State": "healthy"}


@given(st.binary(max_size=20).filter(lambda value: b"," not in value))
def test_what_a_client_says_about_itself_is_kept_in_front(claimed: bytes) -> None:
    """An address is added behind the client's own; everything else is the balancer's word."""
    sent = [(b"Host", b"a.x"), (b"x-forwarded-for", claimed), (b"X-Forwarded-Port", b"1")]
    made = dict(headers.for_target(sent, client="192.0.2.1", port=80))
    assert made[b"X-Forwarded-For"] == (claimed + b", " if claimed else b"") + b"192.0.2.1"
    assert made[b"X-Forwarded-Port"] == b"80"
    assert made[b"Host"] == b"a.x"


@pytest.mark.parametrize(
    ("sent", "name", "passed"),
    [
        (b"a.x", "a.x", b"a.x:8080"),
        (b"a.x:8080", "a.x", b"a.x:8080"),
        (b"[::1]", "[::1]", b"[::1]:8080"),
        (b"[::1]:8080", "[::1]", b"[::1]:8080"),
    ],
)
def test_a_host_has_the_port_of_its_listener(sent: bytes, name: str, passed: bytes) -> None:
    """Rules see a host without a port; a target gets it with the port, unless that is the usual one."""
    assert headers.host_name([(b"HOST", sent)]) == name
    assert dict(headers.for_target([(b"Host", sent)], client="::1", port=8080))[b"Host"] == passed


def test_headers_of_one_hop_stay_behind() -> None:
    """What `Connection` names goes with it, but for a WebSocket's."""
    sent = [(b"Connection", b"close, X-Mine"), (b"X-Mine", b"1"), (b"Keep-Alive", b"5"), (b"Via", b"x")]
    assert headers.end_to_end(sent) == [(b"Via", b"x")]
    upgrade = [(b"Connection", b"keep-alive, Upgrade"), (b"Upgrade", b"WebSocket")]
    made = dict(headers.for_target(upgrade, client="::1", port=80))
    assert (made[b"Connection"], made[b"Upgrade"]) == (b"Upgrade", b"WebSocket")


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({"TargetType": "instance", "Protocol": "HTTP"}, "InvalidConfigurationRequest"),
        ({"TargetType": "ip", "Protocol": "HTTPS"}, "InvalidConfigurationRequest"),
        ({"TargetType": "ip", "Protocol": "HTTP", "HealthCheckIntervalSeconds": 4}, "ValidationError"),
        ({"TargetType": "ip", "Protocol": "HTTP", "UnhealthyThresholdCount": 11}, "ValidationError"),
    ],
)
def test_a_target_group_that_cannot_be_served_is_refused(request_: dict[str, Any], code: str) -> None:
    """Numbers are limited as by AWS, and kinds to what there is here."""
    with pytest.raises(refused.RefusedError) as caught:
        refused.check_target_group(request_)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"Priority": 50_001}, "ValidationError"),
        ({"Conditions": [{"Field": "source-ip"}]}, "InvalidConfigurationRequest"),
        (
            {"Conditions": [{"Field": "host-header", "HostHeaderConfig": {"RegexValues": ["a+"]}}]},
            "InvalidConfigurationRequest",
        ),
        ({"Actions": [{"Type": "redirect"}]}, "InvalidConfigurationRequest"),
        (
            {
                "Actions": [
                    {
                        "Type": "forward",
                        "ForwardConfig": {"TargetGroupStickinessConfig": {"Enabled": True}},
                    }
                ]
            },
            "InvalidConfigurationRequest",
        ),
        ({"Actions": [{"Type": "forward"}, {"Type": "forward"}]}, "InvalidConfigurationRequest"),
        (
            {"Actions": [{"Type": "forward", "ForwardConfig": {"TargetGroups": [{}] * 6}}]},
            "TooManyTargetGroups",
        ),
    ],
)
def test_a_rule_that_would_be_kept_and_not_followed_is_refused(change: dict[str, Any], code: str) -> None:
    """A condition or an action that nothing here carries out is an error, not a rule without effect."""
    with pytest.raises(refused.RefusedError) as caught:
        refused.check_rule(change, rules=0, quota=100)
    assert caught.value.code == code


def test_limits_of_a_load_balancer() -> None:
    """It needs two subnets, and has room for as many rules as its quota says."""
    with pytest.raises(refused.RefusedError, match="two subnets"):
        refused.check_load_balancer({"Subnets": ["subnet-1"]})
    with pytest.raises(refused.RefusedError, match="maximum number of rules"):
        refused.check_rule({"Priority": 1}, rules=100, quota=100)


@pytest.mark.parametrize("address", ["10.0.0.1", "127.0.0.1", "localhost", "127.128.0.1"])
def test_only_addresses_of_tasks_are_targets(address: str) -> None:
    """What is not in the tasks' network is not in the VPC."""
    with pytest.raises(refused.RefusedError, match="is not within the VPC"):
        refused.check_address(address)
    refused.check_address(str(shapes.NETWORK[7]))


@pytest.mark.parametrize(
    ("request_line", "sent", "status"),
    [
        (("GET", "/"), [], None),
        (("GET", "/" + "a" * 16_000), [("X", "a" * 16_000), ("Content-Length", "5")], None),
        (("TRACE", "/"), [], 405),
        (("CONNECT", "other.example:443"), [], 405),
        (("GET", "/"), [("X-Forwarded-For", ", ".join(["192.0.2.1"] * 30))], None),
        (("GET", "/"), [("X-Forwarded-For", ", ".join(["192.0.2.1"] * 30)), ("x-forwarded-for", "::1")], 463),
        (("GET", "/" + "a" * 17_000), [], 400),
        (("GET", "/"), [("X", "a" * 17_000)], 400),
        (("POST", "/"), [("Content-Length", str(2**64))], 400),
    ],
)
def test_requests_are_refused_that_a_load_balancer_refuses(
    request_line: tuple[str, str], sent: list[tuple[str, str]], status: int | None
) -> None:
    """As load-balancer-troubleshooting.html has it, and AWS's http-desync-guardian for lengths of bodies."""
    method, target = request_line
    request = h11.Request(method=method, target=target, headers=[("Host", "a.example"), *sent])
    assert headers.refusal(request) == status


def test_no_client_takes_a_message_apart() -> None:
    """Host and length of a message go on to the target, also where `Connection` names them."""
    whole = [(b"Host", b"a.example"), (b"Content-Length", b"3"), (b"Transfer-Encoding", b"chunked")]
    named = [(b"Connection", b"close, Host"), (b"connection", b"Content-Length , transfer-encoding, X-Own")]
    sent = [*whole, *named, (b"X-Own", b"1"), (b"Via", b"x")]
    assert headers.end_to_end(sent) == [*whole, (b"Via", b"x")]
