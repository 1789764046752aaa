"""Whether pull requests can be merged on the GitHub stand-in, and branches that fell behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.github_kit import MAINTAINER, OUTSIDER, REPO, StandIn
from tests.unit.pulls_kit import fresh, open_pulls, payloads, with_line, write

if TYPE_CHECKING:
    from collections.abc import Iterator

MERGEABLE = """query($n: Int!) { repository(owner: "octo", name: "app") {
  pullRequest(number: $n) { mergeable } } }"""


@pytest.fixture(scope="module")
def standin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """Provide a stand-in for all tests of this module."""
    yield from open_pulls(tmp_path_factory.mktemp("merging"))


@pytest.fixture
def number(standin: StandIn) -> int:
    """Provide a pull request that changes line 5 of ten."""
    fresh(standin)
    write(standin, {"a.txt": with_line(5, "LINE 5\n")})
    return int(standin.pull().body["number"])


def mergeable(standin: StandIn, number: int) -> tuple[bool | None, str]:
    """Return what a pull request says about its merge."""
    pull = standin.get(f"{REPO}/pulls/{number}")
    return pull["mergeable"], pull["mergeable_state"]


def update(standin: StandIn, number: int, token: str = MAINTAINER, **body: Any) -> tuple[int, str]:
    """Press the button that brings the base into the branch."""
    reply = standin.ask("PUT", f"{REPO}/pulls/{number}/update-branch", body, token)
    return reply.status, reply.body["message"]


def test_mergeable_is_known_from_the_second_request_on(standin: StandIn, number: int) -> None:
    """The first one gets null, as does the first one after each push to the head or the base.

    https://docs.github.com/en/rest/pulls/pulls#get-a-pull-request
    """
    assert mergeable(standin, number) == (None, "unknown")
    assert mergeable(standin, number) == (True, "clean")
    write(standin, {"a.txt": with_line(5, "other\n")}, branch="main")
    answers = [standin.graphql(MERGEABLE, MAINTAINER, n=number) for _ in range(2)]
    assert [it["data"]["repository"]["pullRequest"]["mergeable"] for it in answers] == [
        *("UNKNOWN", "CONFLICTING")
    ]
    assert mergeable(standin, number) == (False, "dirty")
    refused = standin.ask("PUT", f"{REPO}/pulls/{number}/merge", {})
    assert (refused.status, refused.body["message"]) == (405, "Pull Request is not mergeable")


def test_failing_checks_and_drafts_show_in_the_state(standin: StandIn, number: int) -> None:
    """Both can be merged as far as git is concerned."""
    head = standin.get(f"{REPO}/pulls/{number}")["head"]["sha"]
    standin.ask("POST", f"{REPO}/statuses/{head}", {"state": "failure"})
    assert mergeable(standin, number) == (True, "unstable")
    write(standin, {"b.txt": "1\n"}, branch="other")
    draft = standin.pull(head="other", draft=True).body["number"]
    mergeable(standin, draft)
    assert mergeable(standin, draft) == (True, "draft")


def test_methods_that_a_repository_does_not_allow(standin: StandIn, number: int) -> None:
    """405 in GitHub's words, such as https://github.com/Mergifyio/mergify/issues/48."""
    names = {"merge": "merge_commit", "squash": "squash_merge", "rebase": "rebase_merge"}
    for method, setting in names.items():
        standin.control("PATCH", "/repositories/octo/app", {f"allow_{setting}": False})
        refused = standin.ask("PUT", f"{REPO}/pulls/{number}/merge", {"merge_method": method})
        assert refused.status == 405
        assert refused.body["message"].endswith("are not allowed on this repository.")
    assert standin.get(REPO)["allow_squash_merge"] is False
    standin.control("PATCH", "/repositories/octo/app", {"allow_squash_merge": True})
    merged = standin.ask("PUT", f"{REPO}/pulls/{number}/merge", {"merge_method": "squash"})
    assert merged.status == 200


def test_a_merged_branch_is_deleted_where_the_repository_says_so(standin: StandIn, number: int) -> None:
    """The deletion is a push of its own; the pull request keeps its head."""
    standin.control("PATCH", "/repositories/octo/app", {"delete_branch_on_merge": True})
    head = standin.get(f"{REPO}/pulls/{number}")["head"]["sha"]
    assert standin.ask("PUT", f"{REPO}/pulls/{number}/merge", {}).status == 200
    assert standin.ask("GET", f"{REPO}/git/ref/heads/topic").status == 404
    assert payloads(standin, "push")[-1]["deleted"] is True
    assert standin.get(f"{REPO}/pulls/{number}")["head"]["sha"] == head
    assert [it["action"] for it in payloads(standin, "pull_request")] == ["opened", "closed"]


def test_a_branch_is_brought_up_to_date(standin: StandIn, number: int) -> None:
    """GitHub's own merge commit, signed, by who pressed the button; the pull request follows."""
    old = standin.get(f"{REPO}/pulls/{number}")["head"]["sha"]
    assert update(standin, number) == (422, "There are no new commits on the base branch.")
    base = write(standin, {"b.txt": "1\n"}, branch="main")
    assert update(standin, number, OUTSIDER)[0] == 403
    assert update(standin, number, expected_head_sha=base)[0] == 422
    assert update(standin, number, expected_head_sha=old)[0] == 202
    told = payloads(standin, "pull_request")[-1]
    assert (told["action"], told["before"], told["sender"]["login"]) == ("synchronize", old, "maintainer")
    commit = standin.get(f"{REPO}/git/commits/{told['after']}")
    assert commit["message"] == "Merge branch 'main' into topic"
    assert [it["sha"] for it in commit["parents"]] == [old, base]
    assert commit["verification"]["verified"] is True
    write(standin, {"a.txt": with_line(5, "other\n")}, branch="main")
    assert update(standin, number) == (422, "merge conflict between base and head")
    standin.ask("PATCH", f"{REPO}/pulls/{number}", {"state": "closed"})
    assert update(standin, number)[0] == 422


def test_a_fork_s_branch_is_brought_up_to_date_by_a_maintainer(standin: StandIn) -> None:
    """As long as its author allows that."""
    fresh(standin)
    standin.ask("POST", f"{REPO}/forks", {}, OUTSIDER)
    fork = "/repos/outsider/app"
    write(standin, {"a.txt": with_line(5, "LINE 5\n")}, token=OUTSIDER, repo=fork)
    number = standin.pull(OUTSIDER, head="outsider:topic").body["number"]
    write(standin, {"b.txt": "1\n"}, branch="main")
    assert update(standin, number)[0] == 202
    head = standin.get(f"{fork}/git/ref/heads/topic")["object"]["sha"]
    assert standin.get(f"{REPO}/pulls/{number}")["head"]["sha"] == head
    write(standin, {"c.txt": "1\n"}, branch="main")
    standin.ask("PATCH", f"{REPO}/pulls/{number}", {"maintainer_can_modify": False}, OUTSIDER)
    assert update(standin, number)[0] == 403
    standin.control("DELETE", "/repositories/outsider/app")
