"""`pullwright image`: what is built, what is not, and what a tag means. The registry is moto's."""

from __future__ import annotations

import json
import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from pullwright import errors
from pullwright_cli.aws import Stack
from pullwright_cli.checkout import Checkout
from pullwright_cli.deploying import canary
from pullwright_cli.imaging.content import content_tag
from pullwright_cli.imaging.moving import Move, carry_out, promotion
from pullwright_cli.imaging.registry import Registry
from tests.unit import cli_kit
from tests.unit.aws_kit import client
from tests.unit.cli_kit import run
from tests.unit.moto_kit import mock_aws

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pullwright_cli.starting import Start

ROOT = Path(__file__).parents[2]
NAME = "pullwright-agent"
URI = f"123456789012.dkr.ecr.eu-central-1.amazonaws.com/{NAME}"
PREVIEW_URI = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/pullwright-preview"
_DOCUMENTS = {
    "build": "ImageBuilt",
    "push": "ImagePushed",
    "validate": "CanaryVerdict",
    "promote": "ImageMoved",
    "rollback": "ImageMoved",
    "list": "ImageList",
}
SCRIPT = """#!/bin/sh
echo "$IMAGE|$TAG|$TARGET|$ARCHITECTURE" >> "$(dirname "$0")/calls"
exit "$(cat "$(dirname "$0")/exit_code" 2>/dev/null || echo 0)"
"""


def manifest(number: int) -> str:
    """Return an image's manifest."""
    digest = f"sha256:{number:064x}"
    kind = "application/vnd.oci.image.manifest.v1+json"
    part = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest, "size": number}
    return json.dumps({"schemaVersion": 2, "mediaType": kind, "config": part, "layers": [part]})


@pytest.fixture
def ecr() -> Iterator[Any]:
    """Provide a registry with an empty repository."""
    with mock_aws():
        made = client("ecr")
        made.create_repository(repositoryName=NAME)
        yield made


@pytest.fixture
def stack(ecr: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Provide the stack that commands find; what is returned are its parameters."""
    parameters = {"AgentImageTag": "latest", "Architecture": "arm64"}
    monkeypatch.setattr(Stack, "client", lambda *_: ecr)
    monkeypatch.setattr(Stack, "outputs", {"AgentRepositoryUri": URI, "PreviewRepositoryUri": PREVIEW_URI})
    monkeypatch.setattr(Stack, "parameter", lambda _, name: parameters.get(name, ""))
    monkeypatch.setattr(Stack, "session", boto3.Session(region_name="eu-central-1"))
    return parameters


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Provide a checkout whose script builds nothing and notes how it was called."""
    for name in ("container", "functions"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / ".dockerignore", tmp_path)
    (tmp_path / "container/image.sh").write_text(SCRIPT)
    monkeypatch.setattr(Checkout, "find", lambda _: Checkout(tmp_path))
    return tmp_path


def put(ecr: Any, number: int, *tags: str) -> str:
    """Push an image; return its digest."""
    for tag in tags:
        image = ecr.put_image(repositoryName=NAME, imageManifest=manifest(number), imageTag=tag)["image"]
    return str(image["imageId"]["imageDigest"])


def where(tag: str) -> str | None:
    """Return the digest that a tag points to."""
    return Registry.of(Stack("s")).find(tag)


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    """Return what a command prints as JSON."""
    document = "Commands" if "--dry-run" in arguments else _DOCUMENTS[arguments[0]]
    return cli_kit.printed(capsys, document, "image", *arguments)


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[tuple[dict[str, Any], float]]:
    """Have sessions succeed on the image of staging, unless they take less than a minute; provide them."""
    sessions: list[tuple[dict[str, Any], float]] = []

    def judge(start: Start, minutes: float) -> canary.Verdict:
        sessions.append((json.loads(start.input), minutes))
        good = minutes >= 1
        return canary.Verdict("s1", good, "" if good else "It hung.", where("staging") or "", "")

    monkeypatch.setattr(canary, "judge", judge)
    return sessions


@pytest.mark.usefixtures("stack")
def test_an_image_is_tried_by_one_session_before_it_is_promoted(
    ecr: Any, judged: list[tuple[dict[str, Any], float]], capsys: pytest.CaptureFixture[str]
) -> None:
    """A stub on `staging`, whose digest is told; no tag moves, and a failure ends as a canary's does."""
    old, new = put(ecr, 1, "latest"), put(ecr, 2, "staging")
    assert printed(capsys, "validate", "--repo", "octo/widgets", "--issue", "3")["image_digest"] == new
    asked = {"repository": "octo/widgets", "issue": 3, "stub": True, "image": "staging"}
    assert judged == [(asked, 15)]
    assert run("image", "validate", "--repo", "octo/widgets") == 0
    assert new in capsys.readouterr().out
    assert run("image", "validate", "--repo", "octo/widgets", "--minutes", "0.5") == 74
    assert "It hung. Nothing was promoted." in capsys.readouterr().err
    assert (where("latest"), where("staging")) == (old, new)


@pytest.mark.usefixtures("stack")
def test_promotion_and_the_way_back_move_digests(ecr: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """What the tag meant before is kept under a tag of its own, and going back twice is there and back."""
    old, new = put(ecr, 1, "latest"), put(ecr, 2, "staging")
    moved = printed(capsys, "promote", "--yes")
    assert (moved["digest"], moved["before"], moved["moved"]) == (new, old, True)
    assert (where("latest"), where("latest-previous"), where("staging")) == (new, old, new)
    assert printed(capsys, "promote", "--yes")["moved"] is False
    assert (where("latest"), where("latest-previous")) == (new, old)
    printed(capsys, "rollback", "--yes")
    assert (where("latest"), where("latest-previous")) == (old, new)
    printed(capsys, "rollback", "--yes")
    assert (where("latest"), where("latest-previous")) == (new, old)


@pytest.mark.usefixtures("stack")
def test_a_promotion_that_was_cut_off_is_finished_by_the_next(ecr: Any) -> None:
    """The image before is not lost, whichever step was the last."""
    old, new = put(ecr, 1, "latest"), put(ecr, 2, "staging")
    registry = Registry.of(Stack("s"))
    move = promotion(registry, "staging", "latest")
    carry_out(registry, Move(move.tag, move.digest, move.before, move.steps[:1]))
    carry_out(registry, promotion(registry, "staging", "latest"))
    assert (where("latest"), where("latest-previous")) == (new, old)


@pytest.mark.usefixtures("stack")
def test_a_dry_run_prints_plain_lines_and_moves_nothing(ecr: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Each is `aws ecr put-image`, with the manifest read by `aws ecr batch-get-image`."""
    old, _ = put(ecr, 1, "latest"), put(ecr, 2, "staging")
    assert run("image", "promote", "--dry-run") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [shlex.split(line)[:3] for line in lines] == [["aws", "ecr", "put-image"]] * 2
    assert all("aws ecr batch-get-image --registry-id 123456789012" in line for line in lines)
    assert where("latest") == old


@pytest.mark.usefixtures("stack")
@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["validate", "--repo", "octo/widgets"], 70, "has no image staging. There is latest."),
        (["promote", "nothing", "--yes"], 70, "has no image nothing. There is latest."),
        (["promote", "latest", "--to", "a b", "--yes"], 2, "a b is no tag"),
        (["rollback", "--yes"], 70, "No image before latest is known."),
        (["rollback", "gone", "--yes"], 70, "has no image gone"),
        (["push", "--tag", "-x"], 2, "-x is no tag"),
    ],
)
def test_bad_input_says_what_is_wrong_and_moves_nothing(
    ecr: Any, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, words: str
) -> None:
    """Each has its exit code."""
    digest = put(ecr, 1, "latest")
    assert run("image", *arguments) == code
    assert words in capsys.readouterr().err
    assert [image.tags for image in Registry.of(Stack("s")).images()] == [("latest",)]
    assert where("latest") == digest


def test_a_stack_that_is_pinned_is_said_to_stay(
    ecr: Any, stack: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """A moved tag changes nothing for a stack that names a digest."""
    stack["AgentImageDigest"] = put(ecr, 1, "latest")
    put(ecr, 2, "staging")
    assert run("image", "promote", "--yes") == 0
    assert "stays with " + stack["AgentImageDigest"] in capsys.readouterr().err


@pytest.mark.parametrize("pinned", [False, True])
def test_the_list_marks_what_new_sessions_run(
    ecr: Any, stack: dict[str, str], capsys: pytest.CaptureFixture[str], *, pinned: bool
) -> None:
    """By the digest that the stack names, else by its tag."""
    first, second = put(ecr, 1, "old"), put(ecr, 2, "latest")
    if pinned:
        stack["AgentImageDigest"] = first
    rows = printed(capsys, "list")
    assert {row["digest"]: row["is_run"] for row in rows} == {first: pinned, second: not pinned}


@pytest.mark.usefixtures("stack")
def test_what_is_in_the_registry_is_not_built_again(
    ecr: Any, checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The content's own tag finds it, and the other tags are pointed to it."""
    digest = put(ecr, 1, content_tag(checkout, "arm64"))
    assert len(printed(capsys, "push", "--dry-run")["commands"]) == 1
    pushed = printed(capsys, "push", "--tag", "staging", "--tag", "latest")
    assert (pushed["digest"], pushed["built"]) == (digest, False)
    assert where("staging") == where("latest") == digest
    assert not (checkout / "container/calls").exists()


@pytest.mark.usefixtures("stack")
def test_a_new_content_is_built_and_pushed_under_all_tags(
    ecr: Any, checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The script gets the repository, the tags and the processor of the stack."""
    monkeypatch.setattr(shutil, "which", lambda _: None)
    content = content_tag(checkout, "x86_64")
    # The script would push: its effect is made here, after the command has looked for it.
    find = Registry.find
    looks: list[str] = []

    def found(registry: Registry, reference: str) -> str | None:
        looks.append(reference)
        if len(looks) > 1:
            put(ecr, 7, content)
        return find(registry, reference)

    monkeypatch.setattr(Registry, "find", found)
    pushed = printed(capsys, "push", "--architecture", "x86_64")
    assert pushed["built"] is True
    assert (checkout / "container/calls").read_text() == f"{URI}|{content} staging|agent|x86_64\n"


@pytest.mark.usefixtures("stack", "ecr")
def test_a_build_that_fails_has_an_exit_code_and_tags_nothing(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the script said stands above the sentence."""
    monkeypatch.setattr(shutil, "which", lambda _: None)
    (checkout / "container/exit_code").write_text("1")
    assert run("image", "push") == errors.ImageNotBuilt.exit_code
    assert "container/image.sh failed" in capsys.readouterr().err
    assert Registry.of(Stack("s")).images() == []
    assert run("image", "build") == errors.ImageNotBuilt.exit_code
    assert not (checkout / "dist/image.content").exists()


def test_an_archive_is_built_once_for_its_content(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Until a file changes, another processor is asked for, or it is forced."""
    (checkout / "dist").mkdir()
    (checkout / "dist/image.tar").touch()
    calls: tuple[list[str], ...] = (
        [],
        [],
        ["--architecture", "x86_64"],
        ["--architecture", "x86_64", "--force"],
    )
    assert "container/image.sh" in printed(capsys, "build", "--dry-run")["commands"][0]
    built = [printed(capsys, "build", *arguments)["built"] for arguments in calls]
    assert built == [True, False, True, True]


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("container/Dockerfile", True),
        ("container/runner/new.py", True),
        ("functions/pullwright/models.py", True),
        ("container/requirements.txt", True),
        ("container/runner/__pycache__/new.pyc", False),
        ("functions/requirements.txt", False),
    ],
)
def test_the_content_is_what_the_builder_is_sent(checkout: Path, name: str, *, changes: bool) -> None:
    """Nothing else changes its tag; what a build reads does, committed or not."""
    before = content_tag(checkout, "arm64")
    (checkout / name).parent.mkdir(exist_ok=True)
    (checkout / name).write_text("another")
    assert (content_tag(checkout, "arm64") != before) is changes
    assert content_tag(checkout, "x86_64") != content_tag(checkout, "arm64")


def test_the_image_of_previews_has_a_repository_of_its_own(
    ecr: Any, stack: dict[str, str], checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is found, promoted and listed there, and no digest of the agent's image pins it."""
    stack["AgentImageDigest"] = put(ecr, 1, "latest")
    ecr.create_repository(repositoryName="pullwright-preview")
    for number, tag in ((2, "latest"), (3, content_tag(checkout, "arm64"))):
        ecr.put_image(repositoryName="pullwright-preview", imageManifest=manifest(number), imageTag=tag)
    pushed = printed(capsys, "push", "--preview")
    assert (pushed["repository"], pushed["built"]) == (PREVIEW_URI, False)
    assert printed(capsys, "promote", "--preview", "--yes")["digest"] == pushed["digest"]
    assert [row["digest"] for row in printed(capsys, "list", "--preview") if row["is_run"]] == [
        pushed["digest"]
    ]
    assert where("latest") == stack["AgentImageDigest"]
    printed(capsys, "rollback", "--preview", "--yes")
    (checkout / "dist").mkdir()
    assert printed(capsys, "build", "--preview")["archive"].endswith("dist/preview.tar")
    assert (checkout / "container/calls").read_text() == "||preview|arm64\n"


def test_an_address_that_is_none_of_ecr_is_refused(
    stack: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As an engine gives, or a template that somebody changed."""
    assert stack
    monkeypatch.setattr(Stack, "outputs", {"AgentRepositoryUri": "localhost:4566/agent"})
    assert run("image", "list") == errors.OutputMissing.exit_code
    assert "localhost:4566/agent, no address of ECR" in capsys.readouterr().err
    assert run("image", "list", "--preview") == errors.OutputMissing.exit_code
    assert "no output PreviewRepositoryUri" in capsys.readouterr().err
