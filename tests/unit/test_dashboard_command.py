"""`pullwright dashboard`: what it says before anything is served."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pullwright_cli import dashboard_command
from pullwright_cli.aws import Stack
from pullwright_cli.dashboard import server
from tests.unit.cli_kit import OUTPUTS, matches, run

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Provide the addresses that a browser was opened with."""
    found: list[str] = []
    monkeypatch.setattr("webbrowser.open", found.append)
    monkeypatch.setenv("BROWSER", "one")
    return found


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have nothing served but the address."""

    def serve(_stack: Stack, port: int, ready: Callable[[str], None]) -> None:
        ready(f"http://127.0.0.1:{port}/?token=x")

    monkeypatch.setattr(server, "serve", serve)


def test_without_the_extra_it_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before AWS is asked, with what is missing."""
    monkeypatch.setattr(dashboard_command, "find_spec", lambda name: None if name == "uvicorn" else name)
    assert run("dashboard") == 2
    text = capsys.readouterr().err
    assert "the dashboard needs uvicorn: install it with `uv tool install 'pullwright[dashboard]'`" in text


@pytest.mark.usefixtures("served")
def test_it_prints_the_address_and_opens_it(opened: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """With --json as JSON; with --no-browser nothing is opened."""
    assert run("dashboard", "--port", "8400") == 0
    assert capsys.readouterr().out == "The dashboard is at http://127.0.0.1:8400/?token=x\n"
    assert run("dashboard", "--port", "8400", "--json", "--no-browser") == 0
    document = json.loads(capsys.readouterr().out)
    assert matches("DashboardServed", document)
    assert document == {"address": "http://127.0.0.1:8400/?token=x"}
    assert opened == ["http://127.0.0.1:8400/?token=x"]


@pytest.mark.parametrize("arguments", [("--port", "65536"), ("--port", "-1")])
def test_ports_that_there_are_not_are_refused(arguments: tuple[str, ...]) -> None:
    """Wrong usage."""
    assert run("dashboard", *arguments) == 2


def test_a_port_that_is_taken_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With what to do instead."""

    def taken(_address: tuple[str, int]) -> socket.socket:
        raise OSError(98, "Address already in use")

    monkeypatch.setattr(Stack, "output", lambda _, name: OUTPUTS[name])
    monkeypatch.setattr(Stack, "client", lambda _, name: name)
    monkeypatch.setattr("socket.create_server", taken)
    assert run("dashboard", "--port", "80") == 2
    assert "--port: 80 cannot be used (Address already in use): name another" in capsys.readouterr().err
