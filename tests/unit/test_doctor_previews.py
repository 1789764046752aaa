"""What the doctor finds on the way to previews."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.stub import Stubber

from pullwright_cli.checkup.collect import attempt
from pullwright_cli.checkup.findings import Status, Unknown
from pullwright_cli.checkup.previews import CertificateFacts, PreviewFacts, check, collect
from tests.unit.aws_kit import client

DOMAIN = "preview.example.com"
LISTENER = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/a/b/c"
CERTIFICATE = "arn:aws:acm:eu-central-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"
RESOURCES = [{"ResourceType": "AWS::ElasticLoadBalancingV2::Listener", "PhysicalResourceId": LISTENER}]
LATER = datetime.now(UTC) + timedelta(days=90)
GOOD = CertificateFacts(frozenset({"example.com", f"*.{DOMAIN}"}), "ISSUED", LATER)


def _collected(protocol: str, parameters: dict[str, str], resources: list[dict[str, str]]) -> Any:
    elbv2: Any = Stubber(client("elbv2"))
    acm: Any = Stubber(client("acm"))
    listener = {"Listeners": [{"Protocol": protocol}]}
    elbv2.add_response("describe_listeners", listener, {"ListenerArns": [LISTENER]})
    elbv2.add_response("describe_listener_certificates", {"Certificates": [{"CertificateArn": CERTIFICATE}]})
    detail = {"DomainName": "example.com", "SubjectAlternativeNames": [f"*.{DOMAIN}"], "Status": "ISSUED"}
    acm.add_response("describe_certificate", {"Certificate": {**detail, "NotAfter": LATER}})
    clients = {"elbv2": elbv2.client, "acm": acm.client}
    stack: Any = SimpleNamespace(outputs={"PreviewStateMachineArn": "arn"}, client=clients.__getitem__)
    with elbv2, acm:
        return collect(
            stack,
            parameters,
            resources,
            resolves=lambda name: name == f"any-preview.{DOMAIN}",
            attempt=attempt,
        )


def test_the_listener_says_which_certificates_there_are() -> None:
    """An existing listener is named by a parameter; the stack's own is one of its resources."""
    wanted = PreviewFacts(DOMAIN, resolves=True, certificates=[GOOD])
    assert _collected("HTTPS", {"PreviewDomainSuffix": DOMAIN, "AlbListenerArn": LISTENER}, []) == wanted
    assert _collected("HTTPS", {"PreviewDomainSuffix": DOMAIN}, RESOURCES) == wanted
    local = _collected("HTTP", {"PreviewDomainSuffix": "preview.localhost"}, RESOURCES)
    assert local == PreviewFacts("preview.localhost", resolves=True, certificates=None)
    missing = _collected("HTTPS", {"PreviewDomainSuffix": DOMAIN}, [])
    assert isinstance(missing.certificates, Unknown)


def test_without_previews_nothing_is_asked_or_said() -> None:
    """A deployment that has none needs neither record nor certificate."""
    stack: Any = SimpleNamespace(outputs={})
    assert collect(stack, {}, [], resolves=bool, attempt=attempt) is None
    assert list(check(None)) == []


@pytest.mark.parametrize(
    ("facts", "dns", "tls"),
    [
        (PreviewFacts(DOMAIN, resolves=True, certificates=[GOOD]), Status.OK, Status.OK),
        (PreviewFacts(DOMAIN, resolves=True, certificates=None), Status.OK, Status.OK),
        (PreviewFacts(DOMAIN, resolves=False, certificates=[GOOD]), Status.FAIL, Status.OK),
        (PreviewFacts(DOMAIN, resolves=True, certificates=[]), Status.OK, Status.FAIL),
        (PreviewFacts(DOMAIN, resolves=True, certificates=Unknown("no right.")), Status.OK, Status.WARN),
    ],
)
def test_each_obstacle_has_a_check(facts: PreviewFacts, dns: Status, tls: Status) -> None:
    """By name, and with what to do about it."""
    findings = {it.check: it for it in check(facts)}
    assert {name: it.status for name, it in findings.items()} == {"preview-dns": dns, "preview-tls": tls}
    assert all(it.remedy for it in findings.values() if it.status is Status.FAIL)


@pytest.mark.parametrize(
    ("certificate", "status"),
    [
        (CertificateFacts(frozenset({"*.example.com"}), "ISSUED", LATER), Status.FAIL),
        (CertificateFacts(frozenset({DOMAIN}), "ISSUED", LATER), Status.FAIL),
        (CertificateFacts(GOOD.names, "PENDING_VALIDATION"), Status.FAIL),
        (CertificateFacts(GOOD.names, "EXPIRED", datetime(2025, 1, 1, tzinfo=UTC)), Status.FAIL),
        (CertificateFacts(GOOD.names, "ISSUED", datetime.now(UTC) + timedelta(days=13)), Status.WARN),
    ],
)
def test_a_certificate_has_to_be_for_every_host(certificate: CertificateFacts, status: Status) -> None:
    """A wildcard stands for one label alone (RFC 6125, 6.4.3); one that ends is renewed before."""
    facts = PreviewFacts(DOMAIN, resolves=True, certificates=[certificate])
    assert {it.check: it.status for it in check(facts)}["preview-tls"] is status
