"""Who may connect to the load balancer that the stack makes for previews; `ipaddress` knows ranges."""

from __future__ import annotations

import ipaddress
import re
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.template.kit import defaults, resolved, template

OWN = {
    "PreviewCertificateArn": "arn:aws:acm:eu-west-1:111122223333:certificate/0a-1b",
    "PreviewDomainSuffix": "preview.example.com",
    "VpcId": "vpc-01234567",
    "SubnetIds": "subnet-01234567,subnet-89abcdef",
}
MOST = 5
IPV6 = 6
KINDS = {"PreviewAllowedCidrs": 4, "PreviewAllowedIpv6Cidrs": IPV6}
_NETWORKS = {
    4: st.builds("{}/{}".format, st.ip_addresses(v=4), st.integers(0, 32)),
    6: st.builds("{}/{}".format, st.ip_addresses(v=6), st.integers(0, 128)),
}


def _accepted(name: str, value: str) -> bool:
    return re.fullmatch(template()["Parameters"][name]["AllowedPattern"], value) is not None


def _is_range(text: str) -> bool:
    """Return whether it is a range with its length, as a number without zeros before it."""
    with suppress(ValueError):
        bits = text.partition("/")[2]
        return bits == str(ipaddress.ip_network(text, strict=False).prefixlen)
    return False


def _ways_in(**parameters: str) -> list[dict[str, Any]]:
    group = template()["Resources"]["PreviewBalancerSecurityGroup"]["Properties"]
    found: list[dict[str, Any]] = resolved(group["SecurityGroupIngress"], defaults() | OWN | parameters)
    return found


def test_everybody_may_unless_the_operator_says_who() -> None:
    """The default is one entry for all of IPv4, and its description says so."""
    (everybody,) = _ways_in()
    assert everybody["CidrIp"] == "0.0.0.0/0"
    assert "whole internet" in template()["Parameters"]["PreviewAllowedCidrs"]["Description"]


@given(
    st.lists(_NETWORKS[4], min_size=1, max_size=MOST, unique=True),
    st.lists(_NETWORKS[6], max_size=MOST, unique=True),
)
def test_those_who_are_named_may_and_nobody_else(ranges: list[str], ipv6: list[str]) -> None:
    """Every range has an entry for the one port, in order; IPv6 is spoken only where there is one of it."""
    parameters = {"PreviewAllowedCidrs": ",".join(ranges), "PreviewAllowedIpv6Cidrs": ",".join(ipv6)}
    assert all(_accepted(name, value) for name, value in parameters.items())
    ways_in = _ways_in(**parameters)
    assert [it["CidrIp"] for it in ways_in if "CidrIp" in it] == ranges
    assert [it["CidrIpv6"] for it in ways_in if "CidrIpv6" in it] == ipv6
    assert {(it["FromPort"], it["ToPort"], it["IpProtocol"]) for it in ways_in} == {(443, 443, "tcp")}
    balancer = template()["Resources"]["PreviewLoadBalancer"]["Properties"]
    kind = resolved(balancer["IpAddressType"], defaults() | OWN | parameters)
    assert kind == ("dualstack" if ipv6 else "ipv4")


@pytest.mark.parametrize("name", KINDS)
@given(data=st.data())
def test_what_is_no_range_is_refused(name: str, data: st.DataObject) -> None:
    """A range with a character changed is taken only if it still is one."""
    version = KINDS[name]
    text = data.draw(_NETWORKS[version])
    place = data.draw(st.integers(0, len(text) - 1))
    changed = text[:place] + data.draw(st.sampled_from("0123456789abf:./, -")) + text[place + 1 :]
    is_range = all(_is_range(part) for part in changed.split(","))
    # IPv6 has more forms than a pattern can tell apart: EC2 refuses what is left.
    assert _accepted(name, changed) is is_range or (version == IPV6 and not is_range)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PreviewAllowedCidrs", ""),
        ("PreviewAllowedCidrs", "everybody"),
        ("PreviewAllowedCidrs", "203.0.113.7"),
        ("PreviewAllowedCidrs", "203.0.113.0/33"),
        ("PreviewAllowedCidrs", "203.0.113.0/24, 198.51.100.0/24"),
        ("PreviewAllowedCidrs", "2001:db8::/32"),
        ("PreviewAllowedCidrs", ",".join(f"203.0.113.{n}/32" for n in range(6))),
        ("PreviewAllowedIpv6Cidrs", "203.0.113.0/24"),
        ("PreviewAllowedIpv6Cidrs", "2001:db8::"),
        ("PreviewAllowedIpv6Cidrs", "2001:db8::/129"),
        ("PreviewAllowedIpv6Cidrs", ",".join(f"2001:db8:{n}::/48" for n in range(6))),
    ],
)
def test_what_nobody_could_mean_is_refused(name: str, value: str) -> None:
    """The sentence that CloudFormation then says names how many ranges, in which form."""
    assert not _accepted(name, value)
    assert "such as" in template()["Parameters"][name]["ConstraintDescription"]
