"""Each way in which a deployment can be broken is found by one check, by name, with what to do."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore import exceptions as botocore_errors
from botocore.exceptions import ClientError

from pullwright.errors import AppNotInstalled
from pullwright_cli.checkup.aws_checks import OUTPUTS, WITHOUT_FUNCTION_URLS
from pullwright_cli.checkup.collect import attempt
from pullwright_cli.checkup.facts import (
    AppFacts,
    DeliveryFacts,
    Facts,
    HookFacts,
    ImageFacts,
    InstallationFacts,
    SecretFacts,
    StackFacts,
)
from pullwright_cli.checkup.findings import Checkup, Status, Unknown
from pullwright_cli.checkup.report import as_text, examine
from pullwright_cli.errors import CliError
from pullwright_cli.registering.manifest import declared

if TYPE_CHECKING:
    from collections.abc import Callable

PERMISSIONS, EVENTS = declared()
PARAMETERS = {
    "Architecture": "arm64",
    "AllowedOwners": "",
    "EgressMode": "preferred",
    "MaxConcurrentSessions": "3",
    "MentionName": "wright",
    "ModelProvider": "bedrock",
    "StubSessions": "false",
    "TaskCpu": "2048",
}
URL = "https://abc.lambda-url.eu-central-1.on.aws/"
STACK = StackFacts("UPDATE_COMPLETE", "IN_SYNC", frozenset(OUTPUTS), PARAMETERS, URL)
APP = AppFacts("wright", PERMISSIONS, frozenset(EVENTS), "acme")
HOOK = HookFacts(URL, "json", "0")
ACME = InstallationFacts("acme", is_organization=True, permissions=PERMISSIONS)
GOOD = Facts(
    "pullwright-test",
    PERMISSIONS,
    frozenset(EVENTS),
    identity="arn:aws:sts::1:assumed-role/Operator/me",
    region="eu-central-1",
    clock_seconds=1.0,
    stack=STACK,
    app_secret=SecretFacts(),
    webhook_secret=SecretFacts(),
    model_key=SecretFacts("The secret model-key has no value."),
    app=APP,
    hook=HOOK,
    installations=(ACME,),
    deliveries=DeliveryFacts(12),
    dead_letters=0,
    alarms=(),
    image=ImageFacts("latest", exists=True, architectures=frozenset({"arm64", "amd64"})),
    price_problem="",
    model_access="claude",
    vcpus=6.0,
    concurrency=1000,
    hosts={"api.github.com": True},
    cage=("caged", "caged"),
    sweep_enabled=True,
)


def stack(**changes: str) -> dict[str, Any]:
    """Return a stack with other parameters."""
    return {"stack": replace(STACK, parameters={**PARAMETERS, **changes})}


def without(name: str) -> dict[str, str]:
    """Return the permissions but for one."""
    return {it: level for it, level in PERMISSIONS.items() if it != name}


EXPIRED = Unknown("The token has expired.", "Sign in again.", is_failure=True)
BROKEN: list[tuple[str, Status, dict[str, Any]]] = [
    ("credentials", Status.FAIL, {"identity": EXPIRED}),
    ("region", Status.FAIL, {"region": "ca-west-1"}),
    ("clock", Status.FAIL, {"clock_seconds": -301.0}),
    ("clock", Status.WARN, {"clock_seconds": 60.0}),
    ("stack", Status.FAIL, {"stack": replace(STACK, status="UPDATE_ROLLBACK_FAILED")}),
    ("stack", Status.WARN, {"stack": replace(STACK, status="UPDATE_ROLLBACK_COMPLETE")}),
    ("stack", Status.WARN, {"stack": replace(STACK, status="UPDATE_IN_PROGRESS")}),
    ("drift", Status.FAIL, {"stack": replace(STACK, drift="DRIFTED")}),
    ("drift", Status.WARN, {"stack": replace(STACK, drift="NOT_CHECKED")}),
    ("outputs", Status.FAIL, {"stack": replace(STACK, outputs=frozenset(OUTPUTS[1:]))}),
    ("intake", Status.WARN, stack(MaxConcurrentSessions="0")),
    ("intake", Status.WARN, stack(StubSessions="true")),
    ("app-secret", Status.FAIL, {"app_secret": SecretFacts("The secret github-app has no value.")}),
    ("webhook-secret", Status.FAIL, {"webhook_secret": SecretFacts("webhook: the value has spaces.")}),
    ("webhook-secret", Status.WARN, {"webhook_secret": SecretFacts(unconfirmed_hours=1)}),
    ("webhook-secret", Status.FAIL, {"webhook_secret": SecretFacts(unconfirmed_hours=23)}),
    (
        "model-key",
        Status.FAIL,
        {
            "stack": replace(
                STACK,
                parameters={**PARAMETERS, "ModelProvider": "anthropic"},
                outputs=frozenset((*OUTPUTS, "ModelKeySecretArn")),
            )
        },
    ),
    ("model-price", Status.FAIL, {"price_problem": "The price of the model claude-x is not known."}),
    (
        "model-access",
        Status.FAIL,
        {"model_access": Unknown("AWS refused InvokeModel.", "Request access.", is_failure=True)},
    ),
    ("image", Status.FAIL, {"image": ImageFacts("latest", exists=False)}),
    ("image", Status.FAIL, {"image": ImageFacts("latest", exists=True, architectures=frozenset({"amd64"}))}),
    ("vcpus", Status.WARN, {"vcpus": 4.0}),
    ("vcpus", Status.FAIL, {"vcpus": 1.0}),
    ("concurrency", Status.WARN, {"concurrency": 10}),
    ("dead-letters", Status.FAIL, {"dead_letters": 2}),
    ("alarms", Status.FAIL, {"alarms": ("pullwright-LostWebhooks",)}),
    ("sweep", Status.FAIL, {"sweep_enabled": False}),
    ("cage", Status.WARN, {"cage": ("unavailable: no user notification", "caged")}),
    ("cage", Status.WARN, stack(EgressMode="off")),
    ("cage", Status.FAIL, {**stack(EgressMode="required"), "cage": ("unavailable: x",)}),
    (
        "github-app",
        Status.FAIL,
        {"app": Unknown("GitHub does not know the key.", "Rotate it.", is_failure=True)},
    ),
    ("github-app", Status.WARN, {"app": replace(APP, slug="somebody-else")}),
    ("permissions", Status.FAIL, {"app": replace(APP, permissions=without("checks"))}),
    ("permissions", Status.FAIL, {"app": replace(APP, permissions={**PERMISSIONS, "contents": "read"})}),
    (
        "permissions",
        Status.WARN,
        {"app": replace(APP, permissions={**PERMISSIONS, "administration": "write"})},
    ),
    ("events", Status.FAIL, {"app": replace(APP, events=frozenset(EVENTS) - {"push"})}),
    ("webhook-url", Status.FAIL, {"hook": replace(HOOK, url="https://old.example.org/")}),
    ("webhook-url", Status.FAIL, {"hook": replace(HOOK, content_type="form")}),
    ("webhook-url", Status.FAIL, {"hook": replace(HOOK, insecure_ssl="1")}),
    ("installations", Status.FAIL, {"installations": ()}),
    ("installations", Status.WARN, {"installations": (replace(ACME, is_suspended=True),)}),
    ("granted", Status.FAIL, {"installations": (replace(ACME, permissions=without("members")),)}),
    ("owners", Status.WARN, {"installations": (ACME, replace(ACME, account="stranger"))}),
    ("owners", Status.FAIL, {"app": replace(APP, owner="")}),
    ("deliveries", Status.FAIL, {"deliveries": DeliveryFacts(12, 3, 3)}),
    ("deliveries", Status.WARN, {"deliveries": DeliveryFacts(12, 3)}),
    ("names", Status.FAIL, {"hosts": {"git.example.org": False}}),
]


FIELDS = [it.name for it in fields(Facts) if isinstance(it.default, Unknown) and it.name != "model_key"]


def problems(checkup: Checkup) -> dict[str, Status]:
    """Return the checks that are not well."""
    return {it.check: it.status for it in checkup.checks if it.status is not Status.OK}


def test_a_deployment_in_good_order_is_well() -> None:
    """Every check is ok."""
    checkup = examine(GOOD)
    assert problems(checkup) == {}
    assert checkup.status is Status.OK


@pytest.mark.parametrize(
    ("check", "status", "changes"), BROKEN, ids=lambda it: it if isinstance(it, str) else ""
)
def test_each_way_to_be_broken_is_found_and_named(
    check: str, status: Status, changes: dict[str, Any]
) -> None:
    """That check alone says so, and what to do about it; the whole is as bad as the worst."""
    checkup = examine(replace(GOOD, **changes))
    assert {it for it, found in problems(checkup).items() if found is Status.FAIL} <= {check}
    assert problems(checkup)[check] is status
    assert checkup.status is status
    others = [it for it in checkup.checks if it.check != check and it.status is not Status.OK]
    assert all(it.text.startswith("Could not be checked") for it in others)
    [found] = [it for it in checkup.checks if it.check == check]
    assert found.text.endswith((".", "!"))
    assert found.remedy
    text = as_text(checkup, colours=False)
    assert found.text in text
    assert found.remedy in text
    assert "\x1b" not in text
    assert Checkup.model_validate_json(checkup.model_dump_json()) == checkup


def test_every_check_has_a_way_to_be_broken() -> None:
    """None of them can only be ok."""
    checks = {it.check for it in examine(replace(GOOD, **stack(ModelProvider="anthropic"))).checks}
    assert checks == {check for check, _, _ in BROKEN}


def test_a_person_need_not_grant_what_only_organizations_can() -> None:
    """Accounts of persons have no permission `members`."""
    person = InstallationFacts("acme", is_organization=False, permissions=without("members"))
    assert problems(examine(replace(GOOD, installations=(person,)))) == {}


@pytest.mark.parametrize("field", FIELDS)
def test_what_cannot_be_had_is_said_and_hides_nothing_else(field: str) -> None:
    """Each missing fact is a warning with its reason, and all other checks are as they were."""
    changes: dict[str, Any] = {field: Unknown("the right x:Y is missing.", "Allow it.")}
    checkup = examine(replace(GOOD, **changes))
    found = [it for it in checkup.checks if "x:Y" in it.text]
    assert {it.status for it in found} == {Status.WARN}
    assert set(problems(checkup)) == {it.check for it in found}


def _raising(error: Exception) -> Callable[[], str]:
    def ask() -> str:
        raise error

    return ask


@pytest.mark.parametrize(
    ("error", "is_failure", "text"),
    [
        (
            ClientError({"Error": {"Code": "AccessDenied", "Message": "ecr:BatchGetImage"}}, "X"),
            False,
            "ecr:Batch",
        ),
        (ClientError({"Error": {"Code": "InternalFailure", "Message": "not here"}}, "X"), False, "not here"),
        (ClientError({"Error": {"Code": "ExpiredToken", "Message": "old"}}, "X"), True, "old"),
        (botocore_errors.NoCredentialsError(), True, "credentials"),
        (AppNotInstalled("It is not installed."), True, "not installed"),
        (CliError("no name"), True, "no name."),
    ],
)
def test_a_missing_right_is_a_warning_and_expired_credentials_are_a_failure(
    error: Exception, *, is_failure: bool, text: str
) -> None:
    """What is only not known does not make a deployment broken."""
    found = attempt(_raising(error))
    assert isinstance(found, Unknown)
    assert found.is_failure is is_failure
    assert text in found.reason


def test_a_defect_of_the_check_is_no_finding() -> None:
    """It comes out as it is."""
    with pytest.raises(KeyError):
        attempt(_raising(KeyError("x")))


def test_the_regions_without_function_urls_are_those_of_the_template() -> None:
    """One list, in two places that cannot share it."""
    template = Path("template.yaml").read_text(encoding="utf-8")
    rule = template[template.index("RegionHasFunctionUrls:") : template.index("AssertDescription")]
    assert set(re.findall(r"- ([a-z]{2}-[a-z]+-\d)", rule)) == WITHOUT_FUNCTION_URLS
