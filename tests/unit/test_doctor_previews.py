"""What the doctor finds on the way to previews."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.stub import ANY, Stubber

from pullwright_cli.checkup.collect import attempt
from pullwright_cli.checkup.facts import ImageFacts
from pullwright_cli.checkup.findings import Fact, Status, Unknown
from pullwright_cli.checkup.previews import CertificateFacts, PreviewFacts, check, collect
from tests.unit.aws_kit import client

DOMAIN = "preview.example.com"
LISTENER = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/a/b/c"
CERTIFICATE = "arn:aws:acm:eu-central-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"
RESOURCES = [{"ResourceType": "AWS::ElasticLoadBalancingV2::Listener", "PhysicalResourceId": LISTENER}]
LATER = datetime.now(UTC) + timedelta(days=90)
GOOD = CertificateFacts(frozenset({"example.com", f"*.{DOMAIN}"}), "ISSUED", LATER)


IMAGE = ImageFacts("latest", exists=True, architectures=frozenset({"arm64"}))


def _facts(
    domain: str = DOMAIN,
    *,
    resolves: bool = True,
    certificates: Any = (GOOD,),
    image: Fact[ImageFacts] = IMAGE,
) -> PreviewFacts:
    return PreviewFacts(domain, resolves, certificates, image, "arm64")


def _collected(protocol: str, parameters: dict[str, str], resources: list[dict[str, str]]) -> Any:
    elbv2: Any = Stubber(client("elbv2"))
    acm: Any = Stubber(client("acm"))
    listener = {"Listeners": [{"Protocol": protocol}]}
    elbv2.add_response("describe_listeners", listener, {"ListenerArns": [LISTENER]})
    elbv2.add_response("describe_listener_certificates", {"Certificates": [{"CertificateArn": CERTIFICATE}]})
    detail = {"DomainName": "example.com", "SubjectAlternativeNames": [f"*.{DOMAIN}"], "Status": "ISSUED"}
    acm.add_response("describe_certificate", {"Certificate": {**detail, "NotAfter": LATER}})
    ecr: Any = Stubber(client("ecr"))
    manifest = json.dumps({"manifests": [{"platform": {"architecture": "arm64"}}]})
    asked = {"repositoryName": "previews", "imageIds": [{"imageTag": "latest"}], "acceptedMediaTypes": ANY}
    ecr.add_response("batch_get_image", {"images": [{"imageManifest": manifest}]}, asked)
    clients = {"elbv2": elbv2.client, "acm": acm.client, "ecr": ecr.client}
    outputs = {"PreviewStateMachineArn": "arn", "PreviewRepositoryUri": "1.dkr.ecr.eu.amazonaws.com/previews"}
    stack: Any = SimpleNamespace(outputs=outputs, client=clients.__getitem__, output=outputs.__getitem__)
    with elbv2, acm, ecr:
        return collect(
            stack,
            {"Architecture": "arm64", **parameters},
            resources,
            resolves=lambda name: name == f"any-preview.{DOMAIN}",
            attempt=attempt,
        )


def test_the_listener_says_which_certificates_there_are() -> None:
    """An existing listener is named by a parameter; the stack's own is one of its resources."""
    wanted = _facts(certificates=[GOOD])
    assert _collected("HTTPS", {"PreviewDomainSuffix": DOMAIN, "AlbListenerArn": LISTENER}, []) == wanted
    assert _collected("HTTPS", {"PreviewDomainSuffix": DOMAIN}, RESOURCES) == wanted
    local = _collected("HTTP", {"PreviewDomainSuffix": "preview.localhost"}, RESOURCES)
    assert local == _facts("preview.localhost", certificates=None)
    missing = _collected("HTTPS", {"PreviewDomainSuffix": DOMAIN}, [])
    assert isinstance(missing.certificates, Unknown)


def test_without_previews_nothing_is_asked_or_said() -> None:
    """A deployment that has none needs neither record nor certificate."""
    stack: Any = SimpleNamespace(outputs={})
    assert collect(stack, {}, [], resolves=bool, attempt=attempt) is None
    assert list(check(None)) == []


@pytest.mark.parametrize(
    ("facts", "obstacles"),
    [
        (_facts(), {}),
        (_facts(certificates=None), {}),
        (_facts(resolves=False), {"preview-dns": Status.FAIL}),
        (_facts(certificates=[]), {"preview-tls": Status.FAIL}),
        (_facts(certificates=Unknown("no right.")), {"preview-tls": Status.WARN}),
        (_facts(image=ImageFacts("latest", exists=False)), {"preview-image": Status.FAIL}),
        (
            _facts(image=ImageFacts("latest", exists=True, architectures=frozenset({"amd64"}))),
            {"preview-image": Status.FAIL},
        ),
        (_facts(image=Unknown("no right.")), {"preview-image": Status.WARN}),
    ],
)
def test_each_obstacle_has_a_check(facts: PreviewFacts, obstacles: dict[str, Status]) -> None:
    """By name, and with what to do about it."""
    findings = {it.check: it for it in check(facts)}
    assert set(findings) == {"preview-dns", "preview-image", "preview-tls"}
    assert {name: it.status for name, it in findings.items() if it.status is not Status.OK} == obstacles
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
    facts = _facts(certificates=[certificate])
    assert {it.check: it.status for it in check(facts)}["preview-tls"] is status
