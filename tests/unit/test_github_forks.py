"""Forks on the GitHub stand-in, and the pull requests that come from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.github_kit import MAINTAINER, OUTSIDER, REPO, StandIn, message
from tests.unit.pulls_kit import fresh, open_pulls, payloads, review, with_line, write

if TYPE_CHECKING:
    from collections.abc import Iterator

FORK = "/repos/outsider/app"
CROSS = """query($n: Int!) { repository(owner: "octo", name: "app") { pullRequest(number: $n) {
  isCrossRepository maintainerCanModify headRepository { nameWithOwner } headRefName headRefOid } } }"""


@pytest.fixture(scope="module")
def standin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """Provide a stand-in for all tests of this module."""
    yield from open_pulls(tmp_path_factory.mktemp("forks"))


@pytest.fixture
def forked(standin: StandIn) -> Iterator[StandIn]:
    """Provide the stand-in with a fork of a stranger's, whose `topic` changes line 5 of `a.txt`."""
    fresh(standin)
    made = standin.ask("POST", f"{REPO}/forks", {}, OUTSIDER)
    assert (made.status, made.body["full_name"]) == (202, "outsider/app")
    write(standin, {"a.txt": with_line(5, "LINE 5\n")}, token=OUTSIDER, repo=FORK)
    yield standin
    standin.control("DELETE", "/repositories/outsider/app")


def opened(standin: StandIn, **more: Any) -> dict[str, Any]:
    """Open the stranger's pull request."""
    reply = standin.pull(OUTSIDER, head="outsider:topic", **more)
    assert reply.status == 201, reply.body
    body: dict[str, Any] = reply.body
    return body


def test_a_fork_names_its_parent(forked: StandIn) -> None:
    """It has neither issues nor the App; asking again gives the same one, and Apps do not fork."""
    fork = forked.get(FORK, OUTSIDER)
    assert (fork["fork"], fork["parent"]["full_name"], fork["has_issues"]) == (True, "octo/app", False)
    assert forked.get(REPO)["forks_count"] == 1
    assert [it["full_name"] for it in forked.get(f"{REPO}/forks")] == ["outsider/app"]
    assert forked.ask("POST", f"{REPO}/forks", {}, OUTSIDER).body["id"] == fork["id"]
    assert forked.ask("POST", f"{REPO}/forks", {}, forked.token()).status == 403
    assert forked.ask("GET", f"{FORK}/installation", token=forked.app_token()).status == 404
    assert payloads(forked, "push") == []


def test_a_pull_request_from_a_fork(forked: StandIn) -> None:
    """`head.repo` is the fork; its files and reviews are the base's, as is `refs/pull/N/head`."""
    pull = opened(forked)
    number = pull["number"]
    assert (pull["head"]["label"], pull["head"]["repo"]["full_name"]) == ("outsider:topic", "outsider/app")
    assert (pull["base"]["repo"]["full_name"], pull["maintainer_can_modify"]) == ("octo/app", True)
    [file] = forked.get(f"{REPO}/pulls/{number}/files")
    assert file["filename"] == "a.txt"
    ref = forked.get(f"{REPO}/git/ref/pull/{number}/head")
    assert ref["object"]["sha"] == pull["head"]["sha"]
    draft = {"path": "a.txt", "line": 5, "body": "this"}
    assert review(forked, number, event="COMMENT", body="x", comments=[draft]).status == 200
    [told] = payloads(forked, "pull_request")
    assert (told["action"], told["pull_request"]["head"]["repo"]["fork"]) == ("opened", True)
    assert told["sender"]["login"] == "outsider"
    answer = forked.graphql(CROSS, MAINTAINER, n=number)["data"]["repository"]["pullRequest"]
    assert answer == {
        "isCrossRepository": True,
        "maintainerCanModify": True,
        "headRepository": {"nameWithOwner": "outsider/app"},
        "headRefName": "topic",
        "headRefOid": pull["head"]["sha"],
    }
    assert [it["number"] for it in forked.ask("GET", f"{REPO}/pulls", head="outsider:topic").body] == [number]
    assert forked.ask("GET", f"{REPO}/pulls", head="octo:topic").body == []


def test_who_may_open_one(forked: StandIn) -> None:
    """Only who may write to the head; an App does not reach the fork; one is open at a time."""
    refused = forked.pull(MAINTAINER, head="outsider:topic")
    assert refused.status == 403
    assert message(forked.pull(forked.token(), head="outsider:topic")) == (422, "invalid")
    assert message(forked.pull(OUTSIDER, head="nobody:topic")) == (422, "invalid")
    write(forked, {"b.txt": "1\n"})
    # The base's own branch of that name is no business of the stranger's.
    assert forked.pull(OUTSIDER).status == 403
    assert forked.pull(MAINTAINER).status == 201
    opened(forked, maintainer_can_modify=False)
    again = forked.pull(OUTSIDER, head="outsider:topic")
    assert message(again) == (422, "A pull request already exists for outsider:topic.")


def test_a_push_to_the_fork_moves_the_pull_request(forked: StandIn) -> None:
    """`synchronize` comes from the base, whose own branch of the same name is left alone."""
    number = opened(forked)["number"]
    head = write(forked, {"new.txt": "1\n"}, token=OUTSIDER, repo=FORK)
    told = payloads(forked, "pull_request")[-1]
    assert (told["action"], told["after"], told["repository"]["full_name"]) == (
        *("synchronize", head),
        "octo/app",
    )
    assert forked.get(f"{REPO}/git/ref/pull/{number}/head")["object"]["sha"] == head
    before = len(payloads(forked, "pull_request"))
    write(forked, {"other.txt": "1\n"})
    assert len(payloads(forked, "pull_request")) == before


def test_it_is_merged_by_its_owner_s_name(forked: StandIn) -> None:
    """The merge commit names the fork's owner and has the fork's commit as its parent."""
    pull = opened(forked)
    merged = forked.ask("PUT", f"{REPO}/pulls/{pull['number']}/merge", {}).body
    commit = forked.get(f"{REPO}/git/commits/{merged['sha']}")
    assert commit["message"].startswith(f"Merge pull request #{pull['number']} from outsider/topic")
    assert commit["parents"][1]["sha"] == pull["head"]["sha"]


def test_a_fork_that_goes_closes_its_pull_request(forked: StandIn) -> None:
    """`head.repo` is null then, the difference stays, and it cannot be opened again.

    https://github.com/refined-github/sandbox/pull/129
    """
    pull = opened(forked)
    path = f"{REPO}/pulls/{pull['number']}"
    assert forked.ask("DELETE", FORK, token=MAINTAINER).status == 403
    assert forked.ask("DELETE", FORK, token=OUTSIDER).status == 204
    left = forked.get(path)
    assert (left["state"], left["head"]["repo"], left["head"]["label"]) == ("closed", None, "outsider:topic")
    assert left["head"]["sha"] == pull["head"]["sha"]
    assert [it["filename"] for it in forked.get(f"{path}/files")] == ["a.txt"]
    told = payloads(forked, "pull_request")[-1]
    assert (told["action"], told["pull_request"]["head"]["repo"]) == ("closed", None)
    [listed] = forked.ask("GET", f"{REPO}/pulls", state="closed").body
    assert listed["head"]["repo"] is None
    status, words = message(forked.ask("PATCH", path, {"state": "open"}))
    assert (status, "has been deleted" in words) == (422, True)
    answer = forked.graphql(CROSS, MAINTAINER, n=pull["number"])["data"]["repository"]["pullRequest"]
    assert (answer["isCrossRepository"], answer["headRepository"]) == (True, None)


def test_maintainers_may_be_kept_out(forked: StandIn) -> None:
    """The author says whether people who may write to the base may push to the fork's branch."""
    pull = opened(forked)
    changed = forked.ask(
        "PATCH", f"{REPO}/pulls/{pull['number']}", {"maintainer_can_modify": False}, OUTSIDER
    )
    assert (changed.status, changed.body["maintainer_can_modify"]) == (200, False)
