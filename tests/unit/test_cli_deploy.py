"""`pullwright deploy`: the lines it runs, their order, and what is refused before. SAM notes its calls."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from pullwright import errors
from pullwright_cli.aws import Stack
from pullwright_cli.checkout import Checkout
from pullwright_cli.checkup.collect import collect_before
from pullwright_cli.checkup.report import examine_before
from pullwright_cli.deploy_commands import _as_json
from pullwright_cli.deploying.canary import Verdict
from pullwright_cli.deploying.deployment import Deployed
from pullwright_cli.releasing.records import Release
from pullwright_cli.samconfig import read_overrides
from tests.unit.cli_kit import matches, run
from tests.unit.test_cli_image import URI, checkout, ecr, put

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ("checkout", "ecr")
SAMCONFIG = """
[prod.deploy.parameters]
stack_name = "acme-prod"
parameter_overrides = "LogRetentionDays=90 OnNoMatch='say so'"
[list.deploy.parameters]
parameter_overrides = ["LogRetentionDays=90"]
[keys.deploy.parameters]
parameter_overrides = "ParameterKey=LogRetentionDays,ParameterValue=90"
"""
SAM = """#!/bin/sh
for word; do printf '%s\\n' "$word"; done >> "$(dirname "$0")/calls"; echo ";" >> "$(dirname "$0")/calls"
[ "$1" != "$(cat "$(dirname "$0")/fails" 2>/dev/null)" ]
"""


class Answers:
    """All services of AWS: what the checks before a deployment ask, and the registry."""

    def __init__(self, ecr: Any) -> None:
        self._ecr = ecr

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ecr, name)

    def get_caller_identity(self) -> Any:
        """See STS."""
        return {"Arn": "arn:aws:iam::123456789012:user/me", "ResponseMetadata": {"HTTPHeaders": {}}}

    def get_service_quota(self, **_: Any) -> Any:
        """See Service Quotas."""
        return {"Quota": {"Value": 1}}

    def get_account_settings(self) -> Any:
        """See Lambda."""
        return {"AccountLimit": {"ConcurrentExecutions": 1000}}


@pytest.fixture
def sam(checkout: Path, ecr: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[list[str]]]:
    """Provide the SAM CLI's calls, with a stack that stands and has no releases yet."""
    folder = checkout / "bin"
    folder.mkdir()
    (folder / "sam").write_text(SAM)
    (folder / "sam").chmod(0o755)
    (checkout / "samconfig.toml").write_text(SAMCONFIG)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    answers = Answers(ecr)
    monkeypatch.setattr(Stack, "client", lambda *_: answers)
    monkeypatch.setattr(Stack, "outputs", {"AgentRepositoryUri": URI})
    monkeypatch.setattr(Stack, "description", {"Parameters": [], "StackStatus": "UPDATE_COMPLETE"})
    monkeypatch.setattr(Stack, "session", boto3.Session(region_name="eu-central-1"))
    calls = folder / "calls"
    return lambda: (
        [call.split("\n") for call in calls.read_text().split("\n;\n")[:-1]] if calls.exists() else []
    )


def test_the_image_is_deployed_by_digest_beside_the_sections_parameters(
    sam: Callable[[], list[list[str]]], ecr: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """An option of `sam deploy` takes the place of the section's parameters, so all are repeated."""
    digest = put(ecr, 1, "staging")
    given = ("deploy", "--env", "prod", "--image", "staging", "--parameter", "LogRetentionDays=30")
    assert run(*given, "--dry-run") == 0
    assert sam() == []
    planned = capsys.readouterr().out.splitlines()
    assert run(*given) == 0
    build, deploy = sam()
    assert build == ["build", "--config-env", "prod"]
    assert deploy[:5] == ["deploy", "--config-env", "prod", "--stack-name", "acme-prod"]
    overrides = " ".join(deploy[deploy.index("--parameter-overrides") + 1 :])
    assert overrides == f'LogRetentionDays=30 OnNoMatch="say so" AgentImageDigest={digest}'
    said = capsys.readouterr()
    assert [line[2:] for line in said.err.splitlines() if line.startswith("$ ")] == planned
    assert "0 fail" in said.err
    assert "acme-prod is deployed." in said.out


def test_a_dev_box_deploys_by_its_role(
    sam: Callable[[], list[list[str]]], ecr: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CloudFormation makes the changes with the role that the box's profile names."""
    put(ecr, 1, "staging")
    monkeypatch.setenv("PULLWRIGHT_DEPLOYMENT_ROLE", "arn:aws:iam::123456789012:role/d")
    assert run("deploy", "--image", "staging") == 0
    deploy = sam()[1]
    assert deploy[deploy.index("--role-arn") + 1] == "arn:aws:iam::123456789012:role/d"


@pytest.mark.usefixtures("sam")
def test_what_is_printed_for_programs_has_its_schema(ecr: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """A plan, and a deployment with and without releases and a canary, are as the schema says."""
    put(ecr, 1, "staging")
    for words, name in (("--dry-run", "DeployPlan"), ("--json", "Deployed")):
        assert run("deploy", "--env", "prod", "--image", "staging", words, "--json") == 0
        assert matches(name, json.loads(capsys.readouterr().out))
    release = Release(7, "2026-11-20 12:00", "machine:3", ("function:4",), "agent:3", "sha256:0")
    verdict = Verdict("s", succeeded=True, sentence="", image_digest="sha256:0", pull_request="")
    assert matches("Deployed", json.loads(json.dumps(_as_json(Deployed(release, verdict), "3 workers"))))


def test_the_checkouts_image_is_not_built_when_it_is_there(
    sam: Callable[[], list[list[str]]], checkout: Path, ecr: Any
) -> None:
    """The content's tag finds it."""
    from pullwright_cli.imaging.content import content_tag  # noqa: PLC0415

    digest = put(ecr, 1, content_tag(checkout, "arm64"))
    assert run("deploy", "--env", "prod") == 0
    assert sam()[1][-1] == f"AgentImageDigest={digest}"
    assert not (checkout / "container/calls").exists()


@pytest.mark.parametrize("step", ["build", "deploy"])
def test_where_sam_fails_nothing_follows(
    sam: Callable[[], list[list[str]]],
    checkout: Path,
    ecr: Any,
    capsys: pytest.CaptureFixture[str],
    step: str,
) -> None:
    """Its own words stand above; no session judges what was not deployed."""
    put(ecr, 1, "staging")
    (checkout / "bin/fails").write_text(step)
    arguments = ("--image", "staging", "--canary", "--repo", "octo/widgets")
    assert run("deploy", *arguments) == errors.NotDeployed.exit_code
    assert sam()[-1][0] == step
    assert f"`sam {step}` failed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--image", "gone"], 70, "has no image gone"),
        (["--repo", "octo/widgets"], 2, "say --canary too"),
        (["--parameter", "AgentImageTag=x"], 2, "say --image TAG"),
        (["--parameter", "x"], 2, "x: write it as NAME=VALUE"),
        (["--env", "keys"], 2, 'not of the form "NAME=VALUE NAME=VALUE"'),
    ],
)
def test_bad_input_deploys_nothing(
    sam: Callable[[], list[list[str]]],
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    words: str,
) -> None:
    """Nothing is built, and the message names what to change."""
    assert run("deploy", *arguments) == code
    assert words in " ".join(capsys.readouterr().err.split())
    assert sam() == []


def test_a_missing_sam_is_named(
    sam: Callable[[], list[list[str]]], ecr: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With how to install it, and an exit code of its own."""
    assert sam() == []
    put(ecr, 1, "staging")
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    assert run("deploy", "--image", "staging") == errors.NotDeployed.exit_code
    assert Checkout.find(Path()).root == tmp_path


def test_overrides_are_read_as_text_and_as_a_list(sam: object, checkout: Path) -> None:
    """Both forms stand in samconfig.toml files; no section, no overrides."""
    assert sam
    assert read_overrides(checkout, "prod") == {"LogRetentionDays": "90", "OnNoMatch": "say so"}
    assert read_overrides(checkout, "list") == {"LogRetentionDays": "90"}
    assert read_overrides(checkout, "none") == {}


@pytest.mark.parametrize(
    ("status", "parameters", "check", "words"),
    [
        ("UPDATE_IN_PROGRESS", {}, "stack", "CloudFormation is at work"),
        ("UPDATE_ROLLBACK_FAILED", {}, "stack", "continue-update-rollback"),
        ("UPDATE_COMPLETE", {"ModelId": "claude-of-tomorrow"}, "model-price", "ModelPrices"),
        (
            "UPDATE_COMPLETE",
            {"TaskCpu": "2048", "MaxConcurrentSessions": "3"},
            "vcpus",
            "may have 1 vCPUs; 3 sessions of 2 need 6",
        ),
    ],
)
def test_what_fails_before_ends_it_before_anything_is_changed(
    sam: Callable[[], list[list[str]]],
    ecr: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    status: str,
    parameters: dict[str, str],
    check: str,
    words: str,
) -> None:
    """Exit code 64 with the check and its remedy; --no-doctor deploys all the same."""
    put(ecr, 1, "staging")
    monkeypatch.setattr(Stack, "description", {"Parameters": [], "StackStatus": status})
    given = [f"{name}={value}" for name, value in parameters.items()]
    arguments = ("deploy", "--image", "staging", *(word for it in given for word in ("--parameter", it)))
    assert run(*arguments) == errors.NotInOrder.exit_code
    said = capsys.readouterr().err
    assert f"Nothing was built or deployed: {check} failed." in said
    assert words in said
    assert sam() == []
    assert run(*arguments, "--no-doctor") == 0
    assert [call[0] for call in sam()] == ["build", "deploy"]


def test_a_new_stack_is_checked_as_far_as_it_can_be(
    sam: Callable[[], list[list[str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """There are no parameters yet to hold against quotas, and no stack that could be in the way."""
    assert sam() == []
    facts = collect_before(Stack("new"), {}, is_there=False)
    assert [it.check for it in examine_before(facts).checks] == [
        *("credentials", "region", "clock", "stack", "model-price")
    ]
    monkeypatch.setattr(Stack, "session", boto3.Session(region_name="me-central-1"))
    assert examine_before(collect_before(Stack("new"), {}, is_there=False)).status == "fail"
