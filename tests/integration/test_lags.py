"""A label becomes a pull request although GitHub does not know yet what is new."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local.people import set_lags

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.sessions import Stack
    from tests.integration.conftest import Repository


@pytest.fixture(params=[401, 403, 404])
def lag(stack: Stack, request: pytest.FixtureRequest) -> Iterator[None]:
    """Provide a second and a half in which new tokens and new objects are unknown."""
    set_lags(stack.github_url, request.param)
    yield
    set_lags(stack.github_url, request.config.getoption("lag"))


@pytest.mark.usefixtures("lag", "stubs")
def test_a_session_ends_well_behind_slow_servers(repository: Repository) -> None:
    """One ready pull request with one comment, whatever a new token is answered with."""
    session = repository.label(repository.issue(), 240)
    assert session.status() == "SUCCEEDED", session.record()
    [pull] = repository.pulls()
    assert pull["draft"] is False
    [comment] = repository.comments(pull["number"])
    assert "Working on it" not in comment
    assert session.record().outcome == "changed"
