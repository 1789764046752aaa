"""The launcher, as far as it starts nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import zipfile
from fnmatch import fnmatchcase
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from local import commands, packages
from local.app import webhook_host
from local.emulator import SERVED_IMAGES
from local.install import Part
from local.model_choice import ChoiceError, choose
from local.persistence import decode, encode
from local.sam import content_of, fingerprint
from local.supervise import Process, end
from pullwright_engine.processes import spawn, started_at
from tests.unit.cli_kit import matches

if TYPE_CHECKING:
    from pathlib import Path

KEY = {"ANTHROPIC_API_KEY": "made up"}


@pytest.mark.parametrize(
    ("repository", "module"),
    [
        ("pullwright-local-previewrepository-737d40ee", "runner.preview"),
        ("pullwright-local-agentrepository-737d40ee", "runner"),
        ("previews", "runner"),
    ],
)
@pytest.mark.parametrize("tag", ["latest", "staging"])
def test_an_image_of_previews_serves_previews(repository: str, module: str, tag: str) -> None:
    """A task runs what its repository's image would run; another tag than the two cannot be pulled."""
    registry = "000000000000.dkr.ecr.us-east-1.amazonaws.com"
    served = [
        found for name, found in SERVED_IMAGES.items() if fnmatchcase(f"{registry}/{repository}:{tag}", name)
    ]
    assert served[0] == module
    assert not [name for name in SERVED_IMAGES if fnmatchcase(f"{registry}/{repository}:other", name)]


@pytest.mark.parametrize(
    ("wanted", "environment", "scripted"),
    [
        ("scripted", KEY, True),
        ("auto", {}, True),
        ("auto", KEY, False),
        ("anthropic", KEY, False),
    ],
)
def test_the_real_model_is_used_only_when_asked_for(
    wanted: str, environment: dict[str, str], *, scripted: bool
) -> None:
    """A key that lies around is not spent."""
    model = choose(wanted, environment, is_root=True)
    assert model.scripted is scripted
    assert (model.key is None) is scripted


def test_aws_credentials_are_used_for_bedrock() -> None:
    """With a profile and no key, auto means Bedrock; without either, bedrock cannot be had."""
    assert choose("auto", {"AWS_PROFILE": "dev"}, is_root=True).provider == "bedrock"
    assert choose("auto", {"AWS_PROFILE": "dev"}, is_root=True).label == "bedrock"
    assert choose("auto", {"AWS_PROFILE": "dev", **KEY}, is_root=True).label == "anthropic"
    with pytest.raises(ChoiceError, match="AWS_PROFILE"):
        choose("bedrock", KEY, is_root=True)


def test_a_real_model_without_a_second_user_needs_consent() -> None:
    """Without root the agent could read what the person can; they have to say that this is all right."""
    with pytest.raises(ChoiceError, match="PULLWRIGHT_ALLOW_SAME_USER=1"):
        choose("anthropic", KEY, is_root=False)
    allowed = choose("anthropic", {**KEY, "PULLWRIGHT_ALLOW_SAME_USER": "1"}, is_root=False)
    assert allowed.same_user
    with pytest.raises(ChoiceError, match="ANTHROPIC_API_KEY"):
        choose("anthropic", {}, is_root=True)


def test_the_host_of_a_webhook_is_the_name_that_aws_would_use() -> None:
    """The id of the Function URL comes first."""
    host = webhook_host("http://127.0.0.1:4000/_function_url/abc123/")
    assert host == "abc123.lambda-url.us-east-1.localhost.localstack.cloud:4000"


def test_a_fingerprint_changes_with_content_and_words_only(tmp_path: Path) -> None:
    """Times and caches do not count, the content of every file does."""
    folder = tmp_path / "code"
    (folder / "__pycache__").mkdir(parents=True)
    (folder / "a.py").write_text("a = 1\n")
    before = fingerprint([folder], "x")
    (folder / "__pycache__" / "a.pyc").write_bytes(b"\0")
    os.utime(folder / "a.py", (1, 1))
    assert fingerprint([folder], "x") == before
    assert fingerprint([folder], "y") != before
    (folder / "a.py").write_text("a = 2\n")
    assert fingerprint([folder], "x") != before


class Bucket:
    """Takes uploads."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    def upload_file(self, path: str, _bucket: str, key: str) -> None:
        """Remember the key and that the file is a whole zip."""
        assert zipfile.ZipFile(path).testzip() is None
        self.keys.append(key)


def test_code_that_functions_share_is_uploaded_once(tmp_path: Path) -> None:
    """Every CodeUri becomes an address in the bucket, equal folders the same one."""
    for name, code in (("One", "a = 1\n"), ("Two", "a = 1\n"), ("Three", "a = 3\n")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "app.py").write_text(code)
    template = tmp_path / "template.yaml"
    names = ("One", "Two", "Three")
    template.write_text("".join(f"{name}:\n    Properties:\n      CodeUri: {name}\n" for name in names))
    bucket = Bucket()
    packaged = json.loads(packages.upload(template, bucket, "b", content_of).read_text())
    addresses = [packaged[name]["Properties"]["CodeUri"] for name in names]
    assert len(bucket.keys) == 2
    assert addresses[0] == addresses[1] != addresses[2]
    assert all(address.startswith("s3://b/") for address in addresses)


def test_a_process_is_ended_only_if_it_is_the_one_that_was_started(tmp_path: Path) -> None:
    """An id that the system gave to somebody else is left alone."""
    child = spawn(
        [sys.executable, "-c", "import time; print(flush=True); time.sleep(60)"],
        kind="test",
        notes=tmp_path,
        cwd=tmp_path,
        environment={},
        output=subprocess.PIPE,
    )
    assert child.process.stdout is not None
    with child.process.stdout as output:
        output.readline()
    known = Process("test", child.process.pid, started_at(child.process.pid))
    somebody = Process("test", child.process.pid, "another time")
    assert [known.alive, somebody.alive] == [True, False]
    assert end([somebody], seconds=0) == []
    assert child.process.poll() is None
    assert end([known], seconds=10) == []
    assert child.process.wait() == -signal.SIGTERM
    child.kill_group()
    assert list(tmp_path.glob("*.json")) == []


def test_a_part_is_installed_again_when_its_lock_changes(tmp_path: Path) -> None:
    """A stamp is worth what it was made from, and nothing without what was installed."""
    lock, target = tmp_path / "lock.txt", tmp_path / "target"
    lock.write_text("one")
    part = Part(f"unit test {tmp_path.name}", (lock,), target, target.mkdir)
    try:
        assert not part.is_current()
        part.install()
        assert part.is_current()
        lock.write_text("two")
        assert not part.is_current()
        lock.write_text("one")
        target.rmdir()
        assert not part.is_current()
    finally:
        part.stamp.unlink(missing_ok=True)


def test_what_down_saves_comes_back_with_up() -> None:
    """Numbers, sets and lists, and what is binary, such as the workers of repositories."""
    items: list[dict[str, Any]] = [
        {"pk": {"S": "REPO#o/r"}, "routes": {"B": b"\x1f\x8b\x00"}, "chunks": {"N": "1"}},
        {
            "pk": {"S": "SLOTS"},
            "holders": {"SS": ["a"]},
            "parts": {"L": [{"B": b""}, {"M": {"B": {"S": "b"}}}]},
        },
    ]
    assert decode(encode(items)) == items


def test_programs_read_what_the_commands_print(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where nothing runs, `status`, `down` and `clean` print what docs/commands.schema.json describes."""
    monkeypatch.setenv("PULLWRIGHT_LOCAL", str(tmp_path / "stack"))
    for command, name, code in (
        (commands.status, "LocalStackStatus", 3),
        (partial(commands.down, discard=True), "LocalStackDown", 0),
        (commands.clean, "LocalStackCleaned", 0),
    ):
        assert command(as_json=True) == code
        assert matches(name, json.loads(capsys.readouterr().out))
