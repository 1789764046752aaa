"""devbox/watch.sh, run for real beside real processes; who is logged in, Docker and the load are files."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

SCRIPT = Path(__file__).parents[2] / "devbox" / "watch.sh"
BOOTSTRAP = SCRIPT.with_name("bootstrap.sh")
# Prints what a test has put beside it, and notes how it was called.
PROGRAM = """#!/bin/sh
for word; do printf '%s\\n' "$word"; done >>"$0.calls"; echo ";" >>"$0.calls"
cat "$0.says" 2>/dev/null || true
"""


@dataclass
class Machine:
    """A box of files: its programs, its load, its homes."""

    folder: Path

    def says(self, program: str, text: str) -> None:
        """Have a program print something."""
        (self.folder / "bin" / f"{program}.says").write_text(text)

    def calls(self, program: str) -> list[list[str]]:
        """Return how a program was called."""
        file = self.folder / "bin" / f"{program}.calls"
        return [call.split("\n") for call in file.read_text().split("\n;\n")[:-1]] if file.exists() else []

    def unused_for(self, minutes: int) -> None:
        """Have nobody used it for so long."""
        used = self.folder / "run" / "used"
        used.parent.mkdir(exist_ok=True)
        used.touch()
        then = time.time() - minutes * 60 - 5
        os.utime(used, (then, then))

    def watch(self, **variables: str) -> dict[str, Any]:
        """Run the script; return the line that it prints."""
        done = subprocess.run(
            ["bash", SCRIPT],
            env={
                "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
                "RUN": str(self.folder / "run"),
                "HOMES": str(self.folder / "homes"),
                "LOAD_FILE": str(self.folder / "loadavg"),
                "IDLE_MINUTES": "60",
                **variables,
            },
            capture_output=True,
            text=True,
            check=True,
        )
        line: dict[str, Any] = json.loads(done.stdout)
        return line


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Provide a box that nobody uses."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "homes").mkdir()
    for name in ("aws", "docker", "shutdown", "who"):
        (tmp_path / "bin" / name).write_text(PROGRAM)
        (tmp_path / "bin" / name).chmod(0o755)
    (tmp_path / "loadavg").write_text("0.10 0.04 0.01 1/123 4567\n")
    return Machine(tmp_path)


def test_a_box_that_nobody_uses_stops_itself(machine: Machine) -> None:
    """After IdleMinutes, not before; the operating system's own shutdown needs no right in AWS."""
    machine.unused_for(59)
    assert machine.watch()["stopping"] is False
    assert machine.calls("shutdown") == []
    machine.unused_for(60)
    line = machine.watch()
    assert (line["active"], line["idle_minutes"], line["stopping"]) == ([], 60, True)
    assert machine.calls("shutdown") == [["-h", "now", "The dev box was not used for 60 minutes"]]


def test_it_has_its_minutes_after_a_start(machine: Machine) -> None:
    """What was noted before a start is gone with the memory that it is in."""
    assert machine.watch(IDLE_MINUTES="1")["idle_minutes"] == 0
    assert machine.calls("shutdown") == []


def test_zero_is_never(machine: Machine) -> None:
    """IdleMinutes 0 leaves it running."""
    machine.unused_for(9_999)
    assert machine.watch(IDLE_MINUTES="0")["stopping"] is False
    assert machine.calls("shutdown") == []


@pytest.fixture(params=["ssm-session-worker me-0123 ", "docker-buildx build --push ."])
def process(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Provide a real process of a name that means use."""
    name, *arguments = str(request.param).split()
    # A shell that is called so, and waits for its end.
    words = [str(tmp_path / name), "-c", "read line", *arguments]
    running = subprocess.Popen(words, executable=shutil.which("sh"), stdin=subprocess.PIPE)
    yield "session" if "ssm" in name else "build"
    running.communicate()


def test_a_session_or_a_build_keeps_it(machine: Machine, process: str) -> None:
    """A real process of that name is seen, and its end starts the minutes anew."""
    machine.unused_for(600)
    line = machine.watch()
    assert process in line["active"]
    assert (line["idle_minutes"], line["stopping"]) == (0, False)


@pytest.mark.parametrize(
    ("what", "program", "text"),
    [
        ("login", "who", "developer pts/0 2026-11-27 09:00\n"),
        ("container", "docker", "0123456789ab\n"),
        ("load", "loadavg", "0.10 0.50 0.90 1/123 4567\n"),
    ],
)
def test_a_login_a_container_or_load_keeps_it(machine: Machine, what: str, program: str, text: str) -> None:
    """Each alone is use."""
    machine.unused_for(600)
    machine.says(program, text)
    if program == "loadavg":
        (machine.folder / "loadavg").write_text(text)
    line = machine.watch()
    assert what in line["active"]
    assert (line["idle_minutes"], line["stopping"]) == (0, False)
    assert machine.calls("shutdown") == []


def _git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=d", "-c", "user.email=d@example.com"]
    subprocess.run(["git", "-C", folder, *identity, *arguments], check=True, capture_output=True)


def test_work_that_only_its_disk_has_is_named(machine: Machine) -> None:
    """Changed files, commits that no remote has, and stashes; a clone without any is not named."""
    origin = machine.folder / "origin"
    origin.mkdir()
    _git(origin, "init", "--quiet")
    (origin / "a").write_text("a\n")
    _git(origin, "add", "a")
    _git(origin, "commit", "--quiet", "-m", "a")
    home = machine.folder / "homes" / "developer"
    home.mkdir()
    for name in ("clean", "pullwright"):
        _git(home, "clone", "--quiet", str(origin), name)
    work = home / "pullwright"
    (work / "a").write_text("stashed\n")
    _git(work, "stash")
    _git(work, "commit", "--quiet", "--allow-empty", "-m", "b")
    (work / "new").write_text("new\n")
    assert machine.watch()["unpushed"] == [f"{work}: 1 changed files, 1 commits, 1 stashes"]


def test_it_tells_cloudwatch_of_use_and_disk(machine: Machine) -> None:
    """One line in its log, one figure, each under the name that the template's rights and alarm have."""
    known = {"LOG_GROUP": "/pullwright/s/devbox", "AWS_REGION": "eu-west-1", "DEVBOX_STACK": "s-devbox"}
    line = machine.watch(**known)
    _, put, metric = machine.calls("aws")
    assert put[:2] == ["logs", "put-log-events"]
    assert put[put.index("--log-group-name") + 1] == "/pullwright/s/devbox"
    assert put[put.index("--log-stream-name") + 1].endswith("/status")
    (event,) = json.loads(put[put.index("--log-events") + 1])
    assert json.loads(event["message"]) == line
    wanted = {"--namespace": "Pullwright/DevBox", "--metric-name": "DiskUsedPercent"}
    wanted |= {"--dimensions": "StackName=s-devbox", "--value": str(line["disk_percent"])}
    assert wanted.items() <= dict(zip(metric[2::2], metric[3::2], strict=True)).items()


def test_a_cloudwatch_that_fails_does_not_keep_it_running(machine: Machine) -> None:
    """It stops though nothing could be told."""
    (machine.folder / "bin" / "aws").write_text("#!/bin/sh\nexit 255\n")
    machine.unused_for(60)
    assert machine.watch(LOG_GROUP="/g", AWS_REGION="eu-west-1", DEVBOX_STACK="s")["stopping"] is True
    assert len(machine.calls("shutdown")) == 1


def test_a_full_disk_is_said_at_the_next_login(machine: Machine) -> None:
    """Above 85 % a line stands where the login reads it; below, it goes."""
    notice = machine.folder / "run" / "full-disk"
    df = machine.folder / "bin" / "df"
    for percent, is_said in ((86, True), (85, False)):
        df.write_text(f"#!/bin/sh\necho 'Use%'; echo ' {percent}%'\n")
        df.chmod(0o755)
        assert machine.watch()["disk_percent"] == percent
        assert notice.exists() is is_said
    assert "/run/pullwright-devbox/full-disk" in BOOTSTRAP.read_text()


@pytest.mark.parametrize("script", [SCRIPT, BOOTSTRAP], ids=lambda path: path.name)
def test_scripts_can_be_started(script: Path) -> None:
    """They are executable, and a shell takes them."""
    assert os.access(script, os.X_OK)
    subprocess.run(["bash", "-n", script], check=True)


def test_the_set_up_needs_root(tmp_path: Path) -> None:
    """Anybody else is told so, and nothing is touched."""
    (tmp_path / "id").write_text("#!/bin/sh\necho 1000\n")
    (tmp_path / "id").chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", BOOTSTRAP], env={"PATH": path}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "needs root: sudo" in done.stderr
