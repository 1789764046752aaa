"""What a merge leaves for the default branch's workflows, by each of GitHub's methods and settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from github_standin.workflows import skips
from pullwright.comments import first_commit_message
from pullwright.events.release import release_message
from runner.git.message import commit_message, hold_message
from tests.unit.github_kit import MAINTAINER, REPO, StandIn, open_lab
from tests.unit.runner_kit import a_request

if TYPE_CHECKING:
    from collections.abc import Iterator

WORKFLOW = "on:\n  push:\n  pull_request:\njobs: {}\n"
PRIVILEGED = "on: pull_request_target\njobs: {}\n"
REQUEST = a_request(requested_by_id=583231)
NOBODY = a_request(requested_by=None)

DOCUMENTED = [
    ("Work [skip ci]", True),
    ("Work\n\nbody [ci skip] body", True),
    ("[no ci] Work", True),
    ("Work\n\n[skip actions]", True),
    ("Work\n\n* [actions skip]\n\nmore", True),
    ("Work\n\n\nskip-checks:true", True),
    ("Work\n\n\nskip-checks: true\n", True),
    ("Work\n\nbody\n\n\nReviewed-by: x\nskip-checks: true", True),
    ("Work\n\nskip-checks: true", False),
    ("Work\n\n\nskip-checks: true\nReviewed-by: x", False),
    ("Work\n\n\nskip-checks: true\n\nmore", False),
    ("Work\n\n\nskip-checks: false", False),
    ("skip-checks: true", False),
    ("Work skip ci", False),
]


@pytest.mark.parametrize(("message", "is_skipped"), DOCUMENTED)
def test_the_stand_in_skips_what_github_documents(message: str, *, is_skipped: bool) -> None:
    """The table is https://docs.github.com/en/actions/how-tos/manage-workflow-runs/skip-workflow-runs."""
    assert skips(message) is is_skipped


@given(title=st.text(max_size=200), summary=st.text(max_size=400), has_requester=st.booleans())
def test_only_held_work_is_skipped(title: str, summary: str, *, has_requester: bool) -> None:
    """Whatever people and the agent write: the hold's message is skipped, no other one is."""
    request = a_request(title=title, requested_by="maintainer" if has_requester else None)
    assert skips(hold_message(request))
    assert not skips(commit_message(request, summary))
    assert not skips(first_commit_message(7))
    assert not skips(release_message("maintainer", "a" * 40))


@pytest.fixture(scope="module")
def standin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """Provide a stand-in whose repositories have workflows, for all tests of this module."""
    yield from open_lab(tmp_path_factory.mktemp("merges"))


def runs(standin: StandIn, **query: str) -> set[tuple[str, str]]:
    """Return event and commit of every run."""
    found = standin.ask("GET", f"{REPO}/actions/runs", per_page="100", **query).body["workflow_runs"]
    return {(run["event"], run["head_sha"]) for run in found}


def fresh(standin: StandIn, **settings: Any) -> None:
    """Make the repository anew, long after the last one: what the App may write in an hour is limited."""
    standin.time[0] += 3_700
    standin.control("DELETE", "/repositories/octo/app")
    files = {"a.txt": "one\n", ".github/workflows/ci.yml": WORKFLOW, ".github/workflows/t.yml": PRIVILEGED}
    body = {"full_name": "octo/app", "files": files, "permissions": {"maintainer": "admin"}, **settings}
    reply = standin.control("POST", "/repositories", body)
    assert reply.status == 201, reply.body


def branch(standin: StandIn, messages: list[tuple[str, str | None]]) -> tuple[int, list[str]]:
    """Put commits on a branch, one after the other, and open its pull request after the first.

    Args:
        messages: of each commit, with the text of the file that it changes, if it does.

    Returns:
        The pull request's number and the commits.
    """
    token = standin.token(contents="write", pull_requests="write", issues="write")
    made: list[str] = []
    parent = standin.get(f"{REPO}/git/ref/heads/main")["object"]["sha"]
    number = 0
    for message, text in messages:
        tree = standin.get(f"{REPO}/git/commits/{parent}")["tree"]["sha"]
        if text is not None:
            entry = {"path": "b.txt", "mode": "100644", "content": text}
            given_tree = {"base_tree": tree, "tree": [entry]}
            tree = standin.ask("POST", f"{REPO}/git/trees", given_tree, token).body["sha"]
        body = {"message": message, "tree": tree, "parents": [parent]}
        parent = standin.ask("POST", f"{REPO}/git/commits", body, token).body["sha"]
        if made:
            moved = standin.ask("PATCH", f"{REPO}/git/refs/heads/topic", {"sha": parent}, token)
            assert moved.status == 200, moved.body
        else:
            standin.ask("POST", f"{REPO}/git/refs", {"ref": "refs/heads/topic", "sha": parent}, token)
            opened = standin.pull(token, body="Closes #1")
            assert opened.status == 201, opened.body
            number = opened.body["number"]
        made.append(parent)
    return number, made


def history(request: Any, *, state: str, begun: bool) -> list[tuple[str, str | None]]:
    """Return the commits of a session: with or without our first one, held, released, or held again."""
    work = commit_message(request, "I mended it.")
    first = [(first_commit_message(7), None)] if begun else []
    held: list[tuple[str, str | None]] = [*first, (work, "1"), (hold_message(request), None)]
    release: tuple[str, str | None] = (release_message("maintainer", "a" * 40), None)
    return {
        "run": [*first, (work, "1")],
        "held": held,
        "released": [*held, release],
        "held again": [*held, release, (work, "2"), (hold_message(request), None)],
        "worked on by a person": [*held, ("Mine", "3")],
    }[state]


STATES = ("run", "held", "released", "held again", "worked on by a person")


@pytest.mark.parametrize("state", STATES)
def test_workflows_run_on_the_branch_unless_it_is_held(standin: StandIn, state: str) -> None:
    """Held commits run nothing of `push` and `pull_request`; what comes on top of them does.

    `pull_request_target` runs all the same, as GitHub documents, with the base branch's own definition.
    """
    fresh(standin)
    _, made = branch(standin, history(REQUEST, state=state, begun=True))
    ran = runs(standin)
    head = made[-1]
    assert (("push", head) in ran) is (not state.startswith("held"))
    assert (("pull_request", head) in ran) is (not state.startswith("held"))
    assert ("pull_request_target", head) in ran


@pytest.mark.parametrize("request_", [REQUEST, NOBODY], ids=["a person asked", "nobody asked"])
@pytest.mark.parametrize(
    ("title", "message", "state", "begun"),
    [
        *(
            ("COMMIT_OR_PR_TITLE", "COMMIT_MESSAGES", state, begun)
            for state in STATES
            for begun in (True, False)
        ),
        ("PR_TITLE", "COMMIT_MESSAGES", "held", True),
        ("PR_TITLE", "PR_BODY", "held", True),
        ("PR_TITLE", "BLANK", "held", False),
    ],
)
def test_a_squash_merge_leaves_the_default_branch_its_workflows(
    standin: StandIn, request_: Any, title: str, message: str, state: str, *, begun: bool
) -> None:
    """One to six commits, by each setting, merged when held or released: the push to main runs."""
    fresh(standin, squash_merge_commit_title=title, squash_merge_commit_message=message)
    number, _ = branch(standin, history(request_, state=state, begun=begun))
    merged = standin.ask("PUT", f"{REPO}/pulls/{number}/merge", {"merge_method": "squash"}, MAINTAINER).body
    said = standin.get(f"{REPO}/git/commits/{merged['sha']}")["message"]
    # Also for a reader of trailers that is more lenient than GitHub's documentation.
    assert not said.rstrip().endswith("skip-checks: true"), said
    assert "[skip ci]" not in said
    assert ("push", merged["sha"]) in runs(standin, branch="main")


@pytest.mark.parametrize("state", ["held", "released"])
@pytest.mark.parametrize(
    ("title", "message"), [("PR_TITLE", "PR_BODY"), ("MERGE_MESSAGE", "PR_TITLE"), ("PR_TITLE", "BLANK")]
)
def test_a_merge_commit_leaves_the_default_branch_its_workflows(
    standin: StandIn, title: str, message: str, state: str
) -> None:
    """The merge commit's own message decides."""
    fresh(standin, merge_commit_title=title, merge_commit_message=message)
    number, _ = branch(standin, history(REQUEST, state=state, begun=True))
    merged = standin.ask("PUT", f"{REPO}/pulls/{number}/merge", {"merge_method": "merge"}, MAINTAINER).body
    assert ("push", merged["sha"]) in runs(standin, branch="main")


@pytest.mark.parametrize("keeps_empty", [True, False], ids=["empty commits stay", "empty commits go"])
@pytest.mark.parametrize("state", STATES)
def test_a_rebase_merge_leaves_its_workflows_unless_it_was_held(
    standin: StandIn, state: str, *, keeps_empty: bool
) -> None:
    """Whether GitHub keeps empty commits is not documented, so released work must do with and without.

    Held work that is merged all the same is the one case that is left: where GitHub keeps the hold's commit.
    """
    fresh(standin, rebase_keeps_empty=keeps_empty)
    number, _ = branch(standin, history(REQUEST, state=state, begun=True))
    merged = standin.ask("PUT", f"{REPO}/pulls/{number}/merge", {"merge_method": "rebase"}, MAINTAINER).body
    is_left = keeps_empty and state.startswith("held")
    assert (("push", merged["sha"]) in runs(standin, branch="main")) is not is_left


def test_merging_is_refused_in_githubs_words(standin: StandIn) -> None:
    """Heads that moved and merged pull requests are not merged; the head stays as it was."""
    fresh(standin)
    number, made = branch(standin, history(REQUEST, state="run", begun=True))
    path = f"{REPO}/pulls/{number}/merge"
    assert standin.ask("GET", path).status == 404
    moved = standin.ask("PUT", path, {"sha": made[0]}, MAINTAINER)
    assert (moved.status, moved.body["message"].split(".")[0]) == (409, "Head branch was modified")
    assert standin.ask("PUT", path, {"merge_method": "knit"}, MAINTAINER).status == 422
    merged = standin.ask("PUT", path, {"sha": made[-1]}, MAINTAINER)
    assert merged.body["merged"] is True
    assert standin.ask("PUT", path, {}, MAINTAINER).status == 405
    assert standin.ask("GET", path).status == 204
    pull = standin.get(f"{REPO}/pulls/{number}")
    assert (pull["merged"], pull["state"], pull["merge_commit_sha"]) == (True, "closed", merged.body["sha"])
    assert pull["head"]["sha"] == made[-1]
