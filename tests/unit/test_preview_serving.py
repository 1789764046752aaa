"""The preview's task: what build and server get, how they end, and what the log has of them."""

from __future__ import annotations

import io
import threading
from typing import TYPE_CHECKING

import pytest

from pullwright.errors import PreviewBuildFailed, PreviewBuildTooLong, PreviewServerEnded
from pullwright.log import hide
from pullwright.previewing.models import PreviewPlan
from runner.log import Tee
from runner.preview import serving
from runner.preview.serving import environment, serve
from runner.user import User

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ADDRESS = "10.0.0.7"


def _plan(build: str = "", start: str = "true", **fields: object) -> PreviewPlan:
    values = {
        "preview_id": "p-1",
        "repository": "o/r",
        "commit": "a" * 40,
        "port": 8_080,
        "start_seconds": 60,
    }
    return PreviewPlan.model_validate({**values, "build": build, "start": start, **fields})


def _serve(plan: PreviewPlan, folder: Path, is_terminated: Callable[[], bool] = lambda: False) -> None:
    env = environment(plan, {"SHARED": "of the secret"}, address=ADDRESS, home=folder)
    serve(plan, user=User(None), folder=folder, env=env, is_terminated=is_terminated)


def test_build_and_server_get_address_port_and_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The secret wins over the configuration, and nothing of the task's environment is passed on."""
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/credentials")
    plan = _plan(
        "env > build", "env > start; exit 3", env={"SHARED": "of the file", "MODE": "uat", "PORT": "1"}
    )
    with pytest.raises(PreviewServerEnded, match="exit code 3"):
        _serve(plan, tmp_path)
    for name in ("build", "start"):
        lines = (tmp_path / name).read_text().splitlines()
        assert {f"HOST={ADDRESS}", "PORT=8080", "SHARED=of the secret", "MODE=uat"} <= set(lines)
        assert not [line for line in lines if line.startswith("AWS_")]


def test_what_starts_the_commands_as_root_gets_no_variable(tmp_path: Path) -> None:
    """Values of any form reach the application alone: a loader that is told to writes of whoever has them."""
    values = {"LD_DEBUG": "libs", "LD_DEBUG_OUTPUT": f"{tmp_path}/loaded", "TEXT": "a\n'$x\" é\\", "UID": "7"}
    with pytest.raises(PreviewServerEnded):
        _serve(_plan('printf %s "$TEXT" > text', "touch after", env=values), tmp_path)
    assert (tmp_path / "text").read_text() == values["TEXT"]
    programs = "".join(path.read_text() for path in tmp_path.glob("loaded.*"))
    assert "touch" in programs
    assert "prlimit" not in programs


def test_a_variable_may_have_any_name(tmp_path: Path) -> None:
    """Those of this task's own lines, and those that change how bash reads, reach it; no others do."""
    values = {
        "variable": "a",
        "take": "b",
        "IFS": "c",
        "POSIXLY_CORRECT": "1",
        "UID": "7",
        "EUID": "7",
        "REPLY": "d",
    }
    with pytest.raises(PreviewServerEnded, match="exit code 0"):
        _serve(_plan("", "env -0 > env; type take > functions 2>&1 || true", env=values), tmp_path)
    seen = dict(pair.split("=", 1) for pair in (tmp_path / "env").read_text().split("\0") if "=" in pair)
    own = {name: value for name, value in values.items() if not name.endswith("UID")}
    assert own.items() <= seen.items()
    assert seen.keys() - own.keys() <= {"HOST", "PORT", "SHARED", "PATH", "HOME", "LANG", "PWD", "SHLVL", "_"}
    assert "function" not in (tmp_path / "functions").read_text()


def test_a_build_that_fails_serves_nothing(tmp_path: Path) -> None:
    """The exit code is said, and the start command never runs."""
    with pytest.raises(PreviewBuildFailed, match="exit code 7"):
        _serve(_plan("exit 7", "touch served"), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_build_without_end_is_ended(tmp_path: Path) -> None:
    """It has the time that build and start may take."""
    with pytest.raises(PreviewBuildTooLong, match="longer than 0 seconds"):
        _serve(_plan("sleep 600", start_seconds=0), tmp_path)


def test_sigterm_reaches_the_server(tmp_path: Path) -> None:
    """A task that is told to stop lets its server end by itself, and that is no failure."""
    told = threading.Event()
    start = "trap 'touch ended; exit 0' TERM; touch up; while :; do sleep 0.05; done"

    def is_terminated() -> bool:
        if (tmp_path / "up").exists():
            told.set()
        return told.is_set()

    _serve(_plan("", start), tmp_path, is_terminated)
    assert (tmp_path / "ended").exists()


def test_what_they_write_is_logged_without_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard output and error stand in the task's log, and a variable of the secret does not.

    Not even half of it, however long the line is: what is cut is cut after it was found.
    """
    hide("a variable of secrecy")
    log = io.StringIO()
    monkeypatch.setattr(serving, "tee", Tee(log))
    lines = "echo out; echo it is a variable of secrecy >&2"
    for before, after in ((1_990, 70_000), (15_990, 20), (59_990, 20)):
        lines += f"; printf '%{before}s' ''; printf 'a variable of secrecy%{after}s\\n' ''"
    with pytest.raises(PreviewServerEnded):
        _serve(_plan("", lines), tmp_path)
    shown = log.getvalue()
    assert "out\n" in shown
    assert "it is" in shown
    assert "a vari" not in shown
    assert "of secrecy" not in shown
