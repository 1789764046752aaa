"""`pullwright workers sync` and `list`: a checkout's workers, checked, shown and stored."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import NoCredentialsError

from pullwright.workers.store import WorkerStore
from pullwright_cli.app import main
from pullwright_cli.aws import Stack
from tests.unit.cli_kit import matches
from tests.unit.reconcile_kit import TABLE, table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DOCS = "on: {event: push}\ninstructions: {file: prompt.md}\n"
NIGHTLY = "on: {schedule: 0 6 * * *}\ninstructions: Look after it.\n"
GIT = ("git", "-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main")


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Provide a checkout with two workers, all of it committed, and stand in it."""
    (tmp_path / ".pullwright/workers").mkdir(parents=True)
    write(tmp_path, {"prompt.md": "Keep it true.", ".pullwright/workers/docs.yaml": DOCS})
    write(tmp_path, {".pullwright/workers/nightly.yml": NIGHTLY})
    for command in (
        ["init", "-q"],
        ["remote", "add", "origin", "git@github.com:octo/widgets.git"],
        ["add", "-A"],
        ["commit", "-q", "-m", "Begin"],
    ):
        subprocess.run([*GIT, *command], cwd=tmp_path, check=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Provide the table of the stack that is asked for."""
    with table() as dynamodb:
        monkeypatch.setattr(Stack, "table", lambda _: (dynamodb, TABLE))
        yield dynamodb


@pytest.fixture
def no_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail whoever asks AWS."""

    def refuse(_: Stack) -> None:
        raise NoCredentialsError

    monkeypatch.setattr(Stack, "table", refuse)


def write(folder: Path, files: dict[str, str]) -> None:
    """Write files."""
    for path, text in files.items():
        (folder / path).write_text(text, encoding="utf-8")


def run(*arguments: str) -> int:
    """Exit code of a command in this process."""
    with pytest.raises(SystemExit) as ended:
        main(["workers", *arguments])
    return int(ended.value.code or 0)


@pytest.mark.usefixtures("no_aws")
def test_a_dry_run_shows_everything_and_asks_nobody(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Workers, size, chunks, checksum and target; pure JSON for programs."""
    assert run("sync", "--dry-run", "--json", "--stack-name", "prod") == 0
    value = json.loads(capsys.readouterr().out)
    assert matches("WorkersSynced", value)
    commit = subprocess.run(
        [*GIT, "rev-parse", "HEAD"], cwd=checkout, capture_output=True, text=True, check=True
    )
    assert value["commit"] == commit.stdout.strip()
    assert [(it["id"], it["on"]) for it in value["workers"]] == [
        ("docs", ["push"]),
        ("nightly", ["0 6 * * * UTC"]),
    ]
    assert value["target"] == {"stack": "prod", "key": "REPO#octo/widgets"}
    assert (value["chunks"], value["warnings"], value["result"]) == (1, [], "Nothing was changed.")
    assert run("sync", "--dry-run") == 0
    text = capsys.readouterr().out
    assert f"checksum  {value['sha256']}" in text
    assert f"size      {value['bytes']} bytes, 1 chunks" in text
    assert "target    REPO#octo/widgets in the stack pullwright-default" in text


def test_syncing_writes_the_repositorys_items_alone(
    checkout: Path, client: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was there of others stays; the same set again writes nothing, and none at all removes it."""
    other = {"pk": {"S": "SESSION#s-1"}}
    client.put_item(TableName=TABLE, Item=other)
    assert run("sync") == 0
    assert "2 workers are stored" in capsys.readouterr().out
    items = client.scan(TableName=TABLE)["Items"]
    assert {it["pk"]["S"].split("#")[1] for it in items if it != other} == {"octo/widgets"}
    assert [worker.text for worker in WorkerStore(client, TABLE).read("octo/widgets")] == [
        "Keep it true.",
        "Look after it.",
    ]
    assert run("sync") == 0
    assert "stored already" in capsys.readouterr().out
    assert {it["pk"]["S"] for it in client.scan(TableName=TABLE)["Items"]} == {it["pk"]["S"] for it in items}
    assert run("list") == 0
    assert "nightly: task, write; on 0 6 * * * UTC" in capsys.readouterr().out
    for path in (checkout / ".pullwright/workers").iterdir():
        path.unlink()
    assert run("sync") == 0
    assert "What was stored is removed." in capsys.readouterr().out
    assert client.scan(TableName=TABLE)["Items"] == [other]
    assert run("list", "--json") == 0
    listed = json.loads(capsys.readouterr().out)
    assert matches("WorkersStored", listed)
    assert listed["workers"] == []


@pytest.mark.usefixtures("no_aws")
@pytest.mark.parametrize(
    ("files", "words"),
    [
        (
            {".pullwright/workers/docs.yaml": DOCS + "modle: m\n"},
            "docs.yaml:3: modle: there is no such field",
        ),
        ({".pullwright/workers/docs.yml": DOCS}, "docs.yml: the worker docs has two files"),
        ({"prompt.md": " "}, "docs.yaml: instructions.file: prompt.md is empty"),
    ],
)
def test_wrong_files_are_told_with_their_place(
    checkout: Path, files: dict[str, str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 1, and nothing is asked or changed."""
    write(checkout, files)
    assert run("sync") == 1
    assert words in capsys.readouterr().err


@pytest.mark.usefixtures("no_aws")
def test_links_in_a_checkout_are_not_followed(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As on GitHub: a linked worker, and instructions in a submodule, are problems by name."""
    (checkout / ".pullwright/workers/link.yaml").symlink_to(checkout / ".pullwright/workers/docs.yaml")
    (checkout / "module").mkdir()
    write(checkout, {"module/.git": "gitdir: x", "module/p.md": "x"})
    write(checkout, {".pullwright/workers/sub.yaml": DOCS.replace("prompt", "module/p")})
    assert run("sync", "--dry-run") == 1
    told = capsys.readouterr().err
    assert "link.yaml: it is a symbolic link, which is not followed" in told
    assert "sub.yaml: instructions.file: module is a submodule, and must be a file" in told


@pytest.mark.usefixtures("no_aws")
def test_strict_takes_warnings_for_errors(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A worker that nothing starts, a file that is none, and what is not committed."""
    write(
        checkout,
        {".pullwright/workers/nightly.yml": NIGHTLY + "enabled: false\n", ".pullwright/workers/x.yaml~": ""},
    )
    assert run("sync", "--dry-run", "--json") == 0
    warnings = "\n".join(json.loads(capsys.readouterr().out)["warnings"])
    for words in (
        "nightly: it is switched off",
        "x.yaml~: it is no worker's file",
        "not everything is committed",
    ):
        assert words in warnings
    assert run("sync", "--strict") == 1
    assert "Nothing was changed." in capsys.readouterr().out


@pytest.mark.usefixtures("no_aws")
def test_without_a_remote_the_repository_has_to_be_said(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is named by the option, and its form is checked; credentials that are missing are exit code 34."""
    subprocess.run([*GIT, "remote", "remove", "origin"], cwd=checkout, check=True)
    assert run("sync", "--dry-run") == 2
    assert "say --repo OWNER/NAME" in capsys.readouterr().err
    assert run("sync", "--repo", "widgets") == 2
    assert run("sync", "--repo", "acme/app") == 34
    assert "Unable to locate credentials" in capsys.readouterr().err
    assert run("sync", "--repo", "acme/app", "--dry-run") == 0
    assert run("list", "--repo", "acme/app") == 34


def test_damage_is_told_and_mended(checkout: Path, client: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """`list` verifies what it shows; the next sync stores it anew."""
    assert os.fspath(checkout)
    assert run("sync") == 0
    chunk = next(it for it in client.scan(TableName=TABLE)["Items"] if it["pk"]["S"].count("#") > 1)
    client.put_item(TableName=TABLE, Item=chunk | {"chunk": {"B": b"x"}})
    assert run("list") == 1
    assert "what is stored of octo/widgets cannot be used" in capsys.readouterr().err
    assert run("sync") == 0
    assert run("list") == 0
