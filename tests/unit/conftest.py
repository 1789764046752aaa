"""Unit tests never open a network socket: a test that tries fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pytest_socket import disable_socket, enable_socket

from tests.unit.pipeline_kit import Deployment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# The cells of the fault matrix say what differs, as tests do.
pytest.register_assert_rewrite("tests.unit.faults", "tests.unit.delivery_kit")


@pytest.fixture(autouse=True)
def _no_sockets() -> Iterator[None]:
    # Unix sockets stay: asyncio wakes itself through a pair of them.
    disable_socket(allow_unix_socket=True)
    yield
    enable_socket()


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    """Provide a repository with the App installed."""
    made = Deployment(tmp_path)
    made.github.repository()
    return made
