"""Colours stand where somebody looks, and nowhere else."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pullwright_cli import terminal

if TYPE_CHECKING:
    from collections.abc import Mapping

_PROGRAM = "from pullwright_cli.terminal import print_fields; print_fields([('name', 'value')])"


def shown(environment: Mapping[str, str]) -> bytes:
    """Return what a terminal gets from a program that prints a field."""
    ours, theirs = pty.openpty()
    with os.fdopen(ours, "rb", buffering=0) as screen:
        subprocess.run(
            [sys.executable, "-c", _PROGRAM], stdout=theirs, env={**os.environ, **environment}, check=True
        )
        text = screen.read(4096)
        os.close(theirs)
    return text


@pytest.mark.parametrize(
    ("no_color", "expected"),
    # https://no-color.org: when present and not an empty string, regardless of its value.
    [("", b"\x1b[1mname\x1b[0m  value\r\n"), ("1", b"name  value\r\n"), ("false", b"name  value\r\n")],
)
def test_a_terminal_gets_colours_unless_no_color_is_set(no_color: str, expected: bytes) -> None:
    """As https://no-color.org asks programs to do."""
    assert shown({"NO_COLOR": no_color}) == expected


def test_a_pipe_gets_no_colours(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """What programs read has no escape sequences, and lines of any length."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    terminal.print_table(("A", "B"), [("x", "y" * 500)], {0: "red"})
    assert capsys.readouterr().out == f"A  B\nx  {'y' * 500}\n"
