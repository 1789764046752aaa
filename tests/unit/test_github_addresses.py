"""Addresses in the stand-in's answers: names of branches and files are escaped in them as GitHub does it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

import pytest

from tests.unit.github_kit import REPO, StandIn
from tests.unit.pulls_kit import fresh, open_pulls, write

if TYPE_CHECKING:
    from collections.abc import Iterator

API = "http://127.0.0.1:4000/api/v3"
NAMES = ("größe", "fix/#107-50%", "日本語/a&b=c+d")


@pytest.fixture(scope="module")
def standin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """Provide a stand-in for all tests of this module, whose answers are judged at the end of the run."""
    yield from open_pulls(tmp_path_factory.mktemp("addresses"))


def _addresses(value: object) -> Iterator[str]:
    """Yield the addresses in an answer, templates left out."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from _addresses(part)
    elif isinstance(value, str) and value.startswith("http") and "{" not in value:
        yield value


def _asked(standin: StandIn, address: str) -> Any:
    """Ask for an address of an answer."""
    return standin.get(unquote(urlsplit(address).path).removeprefix("/api/v3"))


@pytest.mark.parametrize("name", NAMES)
def test_an_address_with_a_branch_leads_back_to_it(standin: StandIn, name: str) -> None:
    """A ref, a branch and a comparison name themselves by an address that is a URI, with its slashes kept."""
    fresh(standin)
    standin.branch(name)
    ref = standin.get(f"{REPO}/git/ref/heads/{name}")
    assert ref["url"] == f"{API}{REPO}/git/refs/heads/{quote(name, safe='/&=+')}"
    branch = standin.get(f"{REPO}/branches/{name}")
    assert _asked(standin, branch["_links"]["self"]) == branch
    compared = standin.get(f"{REPO}/compare/main...{name}")
    assert _asked(standin, compared["url"]) == compared
    for address in _addresses([ref, branch, compared]):
        assert address.isascii()
        assert not set(address) & set("#%?") - {"%"}


def test_the_next_page_of_a_branch_has_an_address(standin: StandIn) -> None:
    """`Link` is a header, which can hold nothing but ASCII."""
    fresh(standin)
    sha = standin.branch("größe")
    for context in ("one", "two"):
        standin.ask("POST", f"{REPO}/statuses/{sha}", {"state": "success", "context": context})
    reply = standin.ask("GET", f"{REPO}/commits/größe/statuses", per_page="1")
    assert f"<{API}{REPO}/commits/gr%C3%B6%C3%9Fe/statuses?per_page=1&page=2>" in reply.headers["Link"]


def test_a_changed_file_is_one_segment_of_its_addresses(standin: StandIn) -> None:
    """GitHub escapes the slashes of a changed file's path too, and writes a space as %20."""
    fresh(standin)
    write(standin, {"src/ö a.txt": "one\n"})
    number = standin.pull().body["number"]
    [changed] = standin.get(f"{REPO}/pulls/{number}/files")
    head = standin.get(f"{REPO}/pulls/{number}")["head"]["sha"]
    assert changed["filename"] == "src/ö a.txt"
    assert changed["blob_url"].endswith(f"/octo/app/blob/{head}/src%2F%C3%B6%20a.txt")
    assert changed["raw_url"].endswith(f"/octo/app/raw/{head}/src%2F%C3%B6%20a.txt")
    assert changed["contents_url"] == f"{API}{REPO}/contents/src%2F%C3%B6%20a.txt?ref={head}"


def test_a_labels_address_keeps_its_colons(standin: StandIn) -> None:
    """As in the payload of `@octokit/webhooks-examples` whose label is `:bug: Bugfix`."""
    fresh(standin)
    body = {"title": "One", "labels": [":bug: Bugfix"]}
    [label] = standin.ask("POST", f"{REPO}/issues", body).body["labels"]
    assert label["url"] == f"{API}{REPO}/labels/:bug:%20Bugfix"
