"""Whether previews can run and be reached: their image, the domain's wildcard record, the certificate."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pullwright.errors import StackIncomplete
from pullwright_cli.checkup.aws_checks import judge_image
from pullwright_cli.checkup.collect_image import preview_image
from pullwright_cli.checkup.findings import Verdict, fail, found, ok, warn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pullwright_cli.aws import Stack
    from pullwright_cli.checkup.facts import ImageFacts
    from pullwright_cli.checkup.findings import Fact, Finding

_LISTENER = "AWS::ElasticLoadBalancingV2::Listener"
# A name that no preview has: only a wildcard answers for it.
_ANY = "any-preview"
# https://www.rfc-editor.org/rfc/rfc6761#section-6.3: browsers and curl resolve these by themselves.
_LOCAL = ".localhost"
_PUSH = "pullwright image push --preview --tag latest"
_ENDS_SOON = timedelta(days=14)


@dataclass(frozen=True)
class CertificateFacts:
    """One certificate of the listener.

    Attributes:
        names: that it is for, with wildcards.
        status: of Certificate Manager, such as ISSUED.
        ends_at: None before it is issued.
    """

    names: frozenset[str]
    status: str
    ends_at: datetime | None = None


@dataclass(frozen=True)
class PreviewFacts:
    """The way to the previews of a deployment.

    Attributes:
        domain: that the hosts end with.
        resolves: whether any host below the domain has an address, as seen from here.
        certificates: of the listener; None if it speaks HTTP without TLS.
        image: what their tasks run, as the registry has it.
        architecture: of their tasks' processor, as the template calls it.
    """

    domain: str
    resolves: bool
    certificates: Fact[Sequence[CertificateFacts] | None]
    image: Fact[ImageFacts]
    architecture: str


def collect(
    stack: Stack,
    parameters: Mapping[str, str],
    resources: Sequence[dict[str, str]],
    *,
    resolves: Callable[[str], bool],
    attempt: Callable[[Callable[[], Any]], Fact[Any]],
) -> PreviewFacts | None:
    """Collect the facts; None for a deployment without previews."""
    if not stack.outputs.get("PreviewStateMachineArn"):
        return None
    domain = parameters.get("PreviewDomainSuffix", "")
    return PreviewFacts(
        domain,
        domain.endswith(_LOCAL) or resolves(f"{_ANY}.{domain}"),
        attempt(lambda: _certificates(stack, parameters.get("AlbListenerArn") or _own(resources))),
        attempt(lambda: preview_image(stack)),
        parameters.get("Architecture", ""),
    )


def _own(resources: Sequence[dict[str, str]]) -> str:
    """Return the ARN of the listener that the stack made.

    Raises:
        StackIncomplete: it has none.
    """
    arns = [it["PhysicalResourceId"] for it in resources if it["ResourceType"] == _LISTENER]
    if not arns:
        raise StackIncomplete("The stack has no listener for its previews.")
    return arns[0]


def _certificates(stack: Stack, listener: str) -> list[CertificateFacts] | None:
    balancers = stack.client("elbv2")
    described = balancers.describe_listeners(ListenerArns=[listener])["Listeners"][0]
    if described["Protocol"] != "HTTPS":
        return None
    # The default one is among them: describe-listener-certificates lists those of SNI too.
    listed = balancers.describe_listener_certificates(ListenerArn=listener)["Certificates"]
    arns = [it["CertificateArn"] for it in listed]
    return [_certificate(stack, arn) for arn in dict.fromkeys(arns) if ":acm:" in arn]


def _certificate(stack: Stack, arn: str) -> CertificateFacts:
    detail = stack.client("acm").describe_certificate(CertificateArn=arn)["Certificate"]
    names = {detail["DomainName"], *detail.get("SubjectAlternativeNames", [])}
    return CertificateFacts(frozenset(names), detail["Status"], detail.get("NotAfter"))


def check(facts: Fact[PreviewFacts] | None) -> Iterator[Finding]:
    """Yield what stands in the way to previews; nothing for a deployment without them."""
    if facts is None:
        return
    yield found("preview-dns", facts, _dns)
    if isinstance(facts, PreviewFacts):
        yield found("preview-image", facts.image, lambda it: judge_image(it, facts.architecture, _PUSH))
        yield found("preview-tls", facts.certificates, lambda it: _tls(it, facts.domain, datetime.now(UTC)))


def _dns(facts: PreviewFacts) -> Verdict:
    if facts.resolves:
        return ok(f"Hosts below {facts.domain} have an address.")
    return fail(
        f"{_ANY}.{facts.domain} has no address: no preview's host can be reached.",
        f"Make a wildcard record *.{facts.domain} that points to the load balancer, as an alias or CNAME.",
    )


def _tls(certificates: Sequence[CertificateFacts] | None, domain: str, now: datetime) -> Verdict:
    if certificates is None:
        return ok("The listener speaks HTTP without TLS, as it was asked to.")
    fitting = [it for it in certificates if f"*.{domain}" in it.names]
    if not fitting:
        return fail(
            f"No certificate of the listener is for *.{domain}.",
            f"Request one for *.{domain} in Certificate Manager and add it to the listener.",
        )
    issued = [it for it in fitting if it.status == "ISSUED" and it.ends_at is not None]
    if not issued:
        return fail(
            f"The certificate for *.{domain} is {fitting[0].status}.",
            "Finish its validation in Certificate Manager, or request another one.",
        )
    ends_at = max(it.ends_at for it in issued if it.ends_at is not None)
    text = f"The certificate for *.{domain} is valid until {ends_at:%Y-%m-%d}."
    if ends_at - now < _ENDS_SOON:
        return warn(text, "See in Certificate Manager why it was not renewed.")
    return ok(text)
