"""What a user left is removed wherever it stands, and nothing else is."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from runner import exit_codes, leftovers
from runner.leftovers import LeftoversError, remove_leftovers
from runner.user import User
from tests.container.harness import Harness
from tests.container.test_checks import commit

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a second user needs root")

UID = 70_000_000 + os.getpid()
USER = User(UID)
# Deeper than any path may be long.
DEEP = 'import os\nfor _ in range(60): os.mkdir("d" * 200); os.chdir("d" * 200)'


@pytest.fixture
def place() -> Iterator[Path]:
    """Provide a folder that everybody may write and reach."""
    with tempfile.TemporaryDirectory(prefix="place-") as name:
        made = Path(name)
        made.chmod(0o1777)
        yield made


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look past processes that fixtures of other modules keep in the same worker of pytest."""
    monkeypatch.setattr(leftovers, "has_descendants", lambda: False)


def as_user(place: Path, script: str) -> None:
    """Run a program for `sh` as the user."""
    subprocess.run([*USER.command(["sh", "-c", script])], cwd=place, check=True)


@pytest.mark.usefixtures("alone")
def test_everything_of_the_user_is_removed(place: Path) -> None:
    """Whatever its names, modes, depth and number; links lead nowhere."""
    (place / "precious").write_text("stays")
    (place / "root").mkdir(mode=0o777)
    (place / "root").chmod(0o777)
    (place / "links").mkdir()
    (place / "links").chmod(0o777)
    as_user(place, f"ln -s {place}/precious links/file; ln -s / links/everything; ln -s nowhere links/lost")
    as_user(
        place,
        "mkdir -p a/b/c root/d; touch -- -rf 'x y' \"$(printf 'n\\nl\\377')\" .hidden root/d/e; mkfifo p",
    )
    as_user(place, "i=0; while [ $i -lt 1500 ]; do : > f$i; i=$((i+1)); done; chmod 000 a/b/c a/b a")
    as_user(place, f"python3 -c '{DEEP}'")
    assert remove_leftovers([USER, User(UID + 1)], [place], since=time.time() + 60) == []
    assert sorted(path.name for path in place.iterdir()) == ["links", "precious", "root"]
    assert [*(place / "root").iterdir(), *(place / "links").iterdir()] == []
    assert (place / "precious").read_text() == "stays"


@pytest.mark.usefixtures("alone")
def test_folders_of_the_user_in_folders_of_the_runner_go_too(place: Path) -> None:
    """The user cannot remove them itself, as the agent's folder in WORK_DIR."""
    place.chmod(0o755)
    made = USER.make_folder(place / "agent")
    as_user(made, "mkdir x; touch x/y")
    remove_leftovers([USER], [place], since=time.time())
    assert list(place.iterdir()) == []


@pytest.mark.usefixtures("alone")
def test_what_others_let_everybody_change_is_told(place: Path) -> None:
    """A file of root's that the user may write, if it was changed since; no temporary folder is one."""
    for name in ("old", "new"):
        (place / name).write_text("")
        (place / name).chmod(0o666)
    time.sleep(0.05)
    since = time.time() - 0.02
    as_user(place, "echo changed > new; touch mine")
    assert remove_leftovers([USER], [place], since=since) == [str(place / "new")]


@pytest.mark.usefixtures("alone")
def test_too_much_to_look_at_is_an_error(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for hours, and no check runs beside what may be left."""
    monkeypatch.setattr(leftovers, "_SECONDS", -1.0)
    with pytest.raises(LeftoversError, match="too many"):
        remove_leftovers([USER], [place], since=time.time())


@pytest.mark.usefixtures("alone")
def test_a_user_without_a_number_keeps_everything(place: Path) -> None:
    """Without a second user nothing can be told apart from the machine's owner's."""
    (place / "file").touch()
    assert remove_leftovers([User(None)], [place], since=time.time()) == []
    assert (place / "file").exists()


def test_a_process_that_was_not_ended_is_an_error(place: Path) -> None:
    """It could put back what is removed, so nothing is removed beside it."""
    (place / "file").touch()
    os.chown(place / "file", UID, UID)
    with subprocess.Popen(["sleep", "60"]) as process:
        with pytest.raises(LeftoversError, match="could not be ended"):
            remove_leftovers([USER], [place], since=time.time())
        process.kill()
    assert (place / "file").exists()


def test_no_check_runs_beside_what_cannot_be_removed() -> None:
    """The work is on the branch, its checks were not run, and people read why."""
    with Harness.open() as harness:
        held = harness.folder / "held"
        held.mkdir()
        options = f"size=1m,mode=777,uid={harness.agent_uid}"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", held], check=True)
        try:
            commit(harness, "main", {".pullwright/config.yaml": "checks: [{name: x, command: 'true'}]\n"})
            harness.fake_cli("echo x > X.md; finish")
            ran = harness.run()
        finally:
            subprocess.run(["umount", "--lazy", held], check=True)
        assert ran.code == exit_codes.DONE, ran.output
        result = harness.result
        assert (result.outcome, [check.status for check in result.checks]) == ("changed", ["not_run"])
        assert result.notices == (
            "The checks were not run: 1 files or folders of the agent's could not be removed.",
        )
        assert harness.git("show", "claude/7:X.md") == "x"
