"""Texts of issues and pull requests on the GitHub stand-in, in every form."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.github_kit import REPO, StandIn
from tests.unit.pulls_kit import fresh, open_pulls, write

if TYPE_CHECKING:
    from collections.abc import Iterator

FORMS = ("body", "body_html", "body_text")


@pytest.fixture(scope="module")
def standin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """Provide a stand-in for all tests of this module, whose answers are judged at the end of the run."""
    yield from open_pulls(tmp_path_factory.mktemp("texts"))


@pytest.mark.parametrize("kind", ["issues", "pulls"])
def test_a_text_that_is_not_there_is_null_in_every_form(standin: StandIn, kind: str) -> None:
    """GitHub's description says otherwise: https://github.com/github/rest-api-description/issues/1639."""
    fresh(standin)
    write(standin, {"a.txt": "two\n"})
    number = standin.pull().body["number"]
    answer = standin.rendered(f"{REPO}/{kind}/{number}")
    assert [answer[form] for form in FORMS] == [None, None, None]


def test_a_text_comes_as_it_was_written_and_as_it_is_shown(standin: StandIn) -> None:
    """The three forms are of one text."""
    fresh(standin)
    body = {"title": "One", "body": "Say *hello*"}
    number = standin.ask("POST", f"{REPO}/issues", body).body["number"]
    answer = standin.rendered(f"{REPO}/issues/{number}")
    assert [answer[form] for form in FORMS] == ["Say *hello*", "<p>Say <em>hello</em></p>", "Say hello"]
