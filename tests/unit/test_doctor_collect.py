"""What the doctor asks AWS, and what it makes of the answers."""

from __future__ import annotations

import json
import socket
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from pullwright_cli.checkup import collect, collect_github
from pullwright_cli.checkup.collect_image import image
from pullwright_cli.checkup.facts import ImageFacts, SecretFacts
from pullwright_cli.checkup.findings import Unknown
from pullwright_cli.registering.rotation import UNCONFIRMED
from pullwright_cli.secret_commands import Name
from tests.unit import aws_kit
from tests.unit.moto_kit import mock_aws

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = "pullwright-agent"
URI = f"123456789012.dkr.ecr.{aws_kit.REGION}.amazonaws.com/{REPOSITORY}"
INDEX = "application/vnd.oci.image.index.v1+json"


class Stack(SimpleNamespace):
    """A stack whose clients are moto's."""

    name = "pullwright-test"

    def client(self, service: str) -> Any:
        """Return a client."""
        return self.clients.get(service) or aws_kit.client(service)

    def output(self, name: str) -> str:
        """Return an output."""
        return str(self.outputs[name])


def made(outputs: dict[str, str] | None = None, **clients: Any) -> Any:
    """Return a stack."""
    return Stack(outputs=outputs or {}, clients=clients)


@pytest.fixture
def aws() -> Iterator[None]:
    """Run within moto."""
    with mock_aws():
        yield


def pushed(manifest: dict[str, Any]) -> None:
    """Put an image under the tag `latest`."""
    client = aws_kit.client("ecr")
    client.create_repository(repositoryName=REPOSITORY)
    client.put_image(
        repositoryName=REPOSITORY,
        imageManifest=json.dumps(manifest),
        imageManifestMediaType=manifest["mediaType"],
        imageTag="latest",
    )


@pytest.mark.usefixtures("aws")
def test_an_index_names_what_the_image_is_built_for() -> None:
    """Attestations, which builders add for a platform `unknown`, are none of it."""
    parts = [
        {
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "digest": f"sha256:{number:064x}",
            "size": 1,
            "platform": {"architecture": architecture, "os": "linux"},
        }
        for number, architecture in enumerate(("arm64", "unknown"))
    ]
    pushed({"schemaVersion": 2, "mediaType": INDEX, "manifests": parts})
    found = image(made({"AgentRepositoryUri": URI}), {"AgentImageTag": "latest"})
    assert found == ImageFacts("latest", exists=True, architectures=frozenset({"arm64"}))


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize(
    "parameters", [{"AgentImageTag": "staging"}, {"AgentImageDigest": f"sha256:{0:064x}"}]
)
def test_an_image_that_is_not_there_is_told_from_a_missing_right(parameters: dict[str, str]) -> None:
    """Neither an empty repository nor a missing one is an error."""
    stack = made({"AgentRepositoryUri": URI})
    assert image(stack, parameters).exists is False
    aws_kit.client("ecr").create_repository(repositoryName=REPOSITORY)
    assert image(stack, parameters).exists is False


@pytest.mark.usefixtures("aws")
def test_a_secret_is_judged_and_not_kept() -> None:
    """Absent, unusable, good, and stored by a rotation that did not end."""
    client = aws_kit.client("secretsmanager")
    arn = client.create_secret(Name="webhook")["ARN"]
    deployment: Any = SimpleNamespace(secrets=client, arn=lambda _: arn)

    def facts() -> SecretFacts:
        return collect._secret(deployment, "WebhookSecretArn", Name.WEBHOOK)

    assert facts().problem == "The secret webhook has no value."
    client.put_secret_value(SecretId=arn, SecretString="short")
    assert "16 characters" in facts().problem
    client.put_secret_value(SecretId=arn, SecretString="a" * 32)
    assert facts() == SecretFacts()
    client.put_secret_value(SecretId=arn, SecretString="b" * 32, VersionStages=["AWSCURRENT", UNCONFIRMED])
    hours = facts().unconfirmed_hours
    assert hours is not None
    assert 0 <= hours < 0.1


def test_the_quota_of_the_capacity_that_tasks_use_is_asked() -> None:
    """Fargate and its spare capacity have a quota each."""
    client = aws_kit.client("service-quotas")
    with Stubber(client) as stub:
        stub.add_response(
            "get_service_quota",
            {"Quota": {"Value": 6.0}},
            {"ServiceCode": "fargate", "QuotaCode": "L-3032A538"},
        )
        assert collect._quota(made(**{"service-quotas": client}), collect._VCPUS["FARGATE"]) == 6.0


def test_a_model_that_refuses_is_a_failure_with_the_way_to_it() -> None:
    """New accounts get 403 before the form of the model's maker is sent."""
    client = aws_kit.client("bedrock-runtime")
    deployment: Any = SimpleNamespace(
        stack=made(**{"bedrock-runtime": client}), parameters={"ModelProvider": "bedrock"}
    )
    with Stubber(client) as stub:
        stub.add_client_error("invoke_model", "AccessDeniedException", "You don't have access to the model.")
        found = collect._model_access(deployment, "claude", ask_model=True)
    assert isinstance(found, Unknown)
    assert found.is_failure
    assert "Request access" in found.remedy
    assert isinstance(collect._model_access(deployment, "claude", ask_model=False), Unknown)


@pytest.mark.parametrize("prices", ["", "other=1/2"])
def test_a_model_without_a_price_is_told(prices: str) -> None:
    """As OpenPullRequest would refuse it."""
    assert "claude-unheard-of" in str(collect._price("claude-unheard-of", prices))
    assert collect._price("claude-unheard-of", "claude-unheard-of=1/2") == ""
    assert "cannot be read" in str(collect._price("claude-unheard-of", "nonsense"))


def test_what_the_caller_may_not_see_ends_nothing() -> None:
    """Credentials that are wrong leave one failure, and nothing else is asked."""
    client = aws_kit.client("sts")
    stack = made(sts=client)
    stack.session = SimpleNamespace(region_name=None)
    with Stubber(client) as stub:
        stub.add_client_error("get_caller_identity", "InvalidClientTokenId", "no")
        facts = collect.collect(stack, ask_model=False)
    assert isinstance(facts.identity, Unknown)
    assert facts.identity.is_failure
    assert isinstance(facts.region, Unknown)
    assert isinstance(facts.stack, Unknown)


def test_a_delivery_under_way_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only those that have had half a minute count, each GUID once."""
    now = datetime.now(UTC)

    def delivery(guid: str, minutes: int, code: int) -> Any:
        at = now - timedelta(minutes=minutes)
        status = "OK" if code == 200 else "Invalid"
        return SimpleNamespace(guid=guid, delivered_at=at, status=status, status_code=code)

    attempts = [
        *(delivery("a", 9, 500), delivery("a", 5, 200), delivery("b", 4, 401), delivery("c", 4, 502)),
        *(delivery("d", 0, 502), delivery("e", 3, 400)),
    ]
    deployment: Any = SimpleNamespace(app=SimpleNamespace(deliveries=lambda _since: attempts))
    found = collect_github._deliveries(deployment)
    assert (found.made, found.lost, found.refused) == (5, 2, 1)
    monkeypatch.setattr(socket, "getaddrinfo", _unresolved)
    assert collect_github.resolves("git.example.org") is False


def _unresolved(*_: object) -> None:
    raise OSError


def test_an_error_that_nobody_foresaw_is_a_defect() -> None:
    """It is not hidden as a fact that could not be had."""
    with pytest.raises(ValueError, match="x"):
        collect.attempt(lambda: int("x"))
    refused = ClientError({"Error": {"Code": "AccessDenied", "Message": "m"}}, "X")

    def ask() -> None:
        raise refused

    assert isinstance(collect.attempt(ask), Unknown)
