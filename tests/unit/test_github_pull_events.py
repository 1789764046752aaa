"""Events of pull requests, pushes and commits on the GitHub stand-in, whoever acts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from github_standin import pushes
from tests.unit.github_kit import MAINTAINER, OUTSIDER, REPO, StandIn, message
from tests.unit.pulls_kit import fresh, open_pulls, payloads, write

if TYPE_CHECKING:
    from collections.abc import Iterator

DRAFT = "mutation($id: ID!) { %s(input: {pullRequestId: $id}) { pullRequest { isDraft } } }"
TO_DRAFT, TO_READY = (DRAFT % name for name in ("convertPullRequestToDraft", "markPullRequestReadyForReview"))


@pytest.fixture(scope="module")
def standin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """Provide a stand-in for all tests of this module."""
    yield from open_pulls(tmp_path_factory.mktemp("events"))


@pytest.mark.parametrize("who", ["a person", "our App"])
def test_a_pull_request_s_life_is_told(standin: StandIn, who: str) -> None:
    """Each step has its event, with who did it and what was there before."""
    fresh(
        standin, installation_permissions={"contents": "write", "pull_requests": "write", "issues": "write"}
    )
    token = MAINTAINER if who == "a person" else standin.token()
    write(standin, {"b.txt": "1\n"}, token=token)
    write(standin, {"c.txt": "1\n"}, branch="other", token=token)
    opened = standin.pull(token, draft=True).body
    node, path = opened["node_id"], f"{REPO}/pulls/{opened['number']}"
    standin.graphql(TO_READY, token, id=node)
    assert standin.graphql(TO_DRAFT, token, id=node)["data"] == {
        "convertPullRequestToDraft": {"pullRequest": {"isDraft": True}}
    }
    after = write(standin, {"b.txt": "2\n"}, token=token)
    standin.ask("PATCH", path, {"title": "Better", "body": "Text"}, token)
    standin.ask("PATCH", path, {"base": "other"}, token)
    standin.ask("PATCH", path, {"state": "closed"}, token)
    standin.ask("PATCH", path, {"state": "open"}, token)
    told = payloads(standin, "pull_request")
    assert [it["action"] for it in told] == [
        *("opened", "ready_for_review", "converted_to_draft", "synchronize"),
        *("edited", "edited", "closed", "reopened"),
    ]
    assert {it["sender"]["type"] for it in told} == {"User" if who == "a person" else "Bot"}
    assert [it["pull_request"]["draft"] for it in told[:4]] == [True, False, True, True]
    assert (told[3]["after"], told[3]["pull_request"]["head"]["sha"]) == (after, after)
    assert told[4]["changes"] == {"title": {"from": "Topic"}, "body": {"from": ""}}
    assert told[5]["changes"]["base"]["ref"] == {"from": "main"}
    assert told[5]["pull_request"]["base"]["ref"] == "other"


def test_a_base_that_cannot_be_is_refused(standin: StandIn) -> None:
    """A branch that is not there, and one for which a pull request is open already."""
    fresh(standin)
    write(standin, {"b.txt": "1\n"})
    write(standin, {"c.txt": "1\n"}, branch="other")
    number = standin.pull().body["number"]
    assert standin.pull(base="other").status == 201
    refused = standin.ask("PATCH", f"{REPO}/pulls/{number}", {"base": "nowhere"})
    assert message(refused) == (422, "invalid")
    status, words = message(standin.ask("PATCH", f"{REPO}/pulls/{number}", {"base": "other"}))
    assert (status, words.startswith("A pull request already exists")) == (422, True)


def test_drafts_are_refused_where_there_are_none(standin: StandIn) -> None:
    """Closed pull requests and repositories without drafts cannot have one."""
    fresh(standin, drafts=False)
    write(standin, {"b.txt": "1\n"})
    opened = standin.pull().body
    refused = standin.graphql(TO_DRAFT, MAINTAINER, id=opened["node_id"])
    assert refused["errors"][0]["type"] == "UNPROCESSABLE"
    assert "not supported" in refused["errors"][0]["message"]
    standin.ask("PATCH", f"{REPO}/pulls/{opened['number']}", {"state": "closed"})
    closed = standin.graphql(TO_DRAFT, MAINTAINER, id=opened["node_id"])
    assert closed["errors"][0]["message"] == "Pull request is closed"


def test_a_push_says_which_files_each_commit_touched(standin: StandIn) -> None:
    """Added, modified and removed, for each commit by itself, 3,000 files at most, as GitHub documents."""
    fresh(standin, {"a.txt": "one\n", "b.txt": "two\n"})
    write(standin, {"a.txt": "1\n", "b.txt": None, "c.txt": "3\n"}, branch="main")
    [commit] = payloads(standin, "push")[-1]["commits"]
    assert (commit["added"], commit["modified"], commit["removed"]) == (["c.txt"], ["a.txt"], ["b.txt"])
    write(standin, {f"many/{number:04}": "x\n" for number in range(3_001)}, branch="main")
    [commit] = payloads(standin, "push")[-1]["commits"]
    assert len(commit["added"]) == 3_000


def test_many_tags_at_once_are_not_told(standin: StandIn) -> None:
    """Of more than three tags in one push there is no event; branches beside them have theirs.

    https://docs.github.com/en/webhooks/webhook-events-and-payloads#push
    """
    fresh(standin)
    repository = standin.world.repository("octo", "app")
    sender = standin.world.account("maintainer")
    assert repository is not None
    assert sender is not None
    sha = standin.get(f"{REPO}/git/ref/heads/main")["object"]["sha"]
    for count, told in ((3, 4), (4, 1)):
        refs = [f"refs/tags/v{count}.{index}" for index in range(count)] + [f"refs/heads/b{count}"]
        for ref in refs:
            standin.world.git(repository).set_ref(ref, sha)
        before = len(payloads(standin, "push"))
        updates = [pushes.Update(ref, "0" * 40, sha) for ref in refs]
        pushes.apply(standin.world, repository, sender, updates)
        assert len(payloads(standin, "push")) - before == told


def test_commits_are_commented_on(standin: StandIn) -> None:
    """An App needs `contents: write`; the event tells of new comments, and of nothing else."""
    fresh(standin, installation_permissions={"contents": "write", "pull_requests": "write"})
    sha = standin.get(f"{REPO}/git/ref/heads/main")["object"]["sha"]
    path = f"{REPO}/commits/{sha}/comments"
    body = {"body": "Broken here", "path": "a.txt", "line": 2, "position": 2}
    assert standin.ask("POST", path, body, standin.token(pull_requests="write")).status == 403
    made = standin.ask("POST", path, body, standin.token(contents="write"))
    assert (made.status, made.body["commit_id"], made.body["path"]) == (201, sha, "a.txt")
    assert standin.ask("POST", path, {"body": "Also"}, OUTSIDER).status == 201
    assert [it["body"] for it in standin.get(path)] == ["Broken here", "Also"]
    assert standin.ask("POST", path, {"body": " "}).status == 422
    assert standin.ask("POST", path, {"body": "x", "path": "nowhere.txt"}).status == 422
    assert standin.ask("POST", path.replace(sha, "f" * 40), {"body": "x"}).status == 422
    one = f"{REPO}/comments/{made.body['id']}"
    assert standin.ask("PATCH", one, {"body": "x"}, OUTSIDER).status == 403
    assert standin.ask("PATCH", one, {"body": "Mended"}).body["body"] == "Mended"
    assert standin.get(one)["body"] == "Mended"
    commit = standin.ask("GET", f"{REPO}/compare/{sha}...{sha}").body["base_commit"]
    assert commit["commit"]["comment_count"] == 2
    assert standin.ask("DELETE", one).status == 204
    assert standin.ask("GET", one).status == 404
    told = payloads(standin, "commit_comment")
    assert [(it["action"], it["comment"]["body"]) for it in told] == [
        *(("created", "Broken here"), ("created", "Also"))
    ]


def test_installing_is_told(standin: StandIn) -> None:
    """The App hears when it is installed, and which repositories come to an installation later."""
    fresh(standin, installed=False)
    standin.control("PATCH", "/repositories/octo/app", {"installed": True})
    standin.control("POST", "/repositories", {"full_name": "octo/second", "files": {"a": "1\n"}})
    standin.control("POST", "/repositories", {"full_name": "other/first", "files": {"a": "1\n"}})
    added = [it for it in payloads(standin, "installation_repositories") if it["action"] == "added"]
    assert [it["repositories_added"][0]["full_name"] for it in added][-1] == "octo/second"
    created = payloads(standin, "installation")[-1]
    assert (created["action"], created["repositories"][0]["full_name"]) == ("created", "other/first")
    for name in ("octo/second", "other/first"):
        standin.control("DELETE", f"/repositories/{name}")


def test_what_happens_to_a_repository_is_told(standin: StandIn) -> None:
    """Archived and not, private and not, and deleted, before the installation loses it."""
    fresh(standin)
    for change in ({"archived": True}, {"archived": False}, {"private": True}, {"private": False}):
        assert standin.ask("PATCH", REPO, change).status == 200
    assert standin.ask("DELETE", REPO).status == 204
    assert [it["action"] for it in payloads(standin, "repository")] == [
        *("archived", "unarchived", "privatized", "publicized", "deleted")
    ]
    assert standin.ask("GET", REPO).status == 404


def test_who_is_in_a_team(standin: StandIn) -> None:
    """An App needs `members: read`, people must be in the organization; who is in no team gets 404.

    https://docs.github.com/en/rest/teams/members#get-team-membership-for-a-user
    """
    fresh(standin)
    teams = {"teams": {"core": ["maintainer"]}}
    assert standin.control("PUT", "/organizations/octo/teams", teams).status == 200
    wrong = standin.control("PUT", "/organizations/octo/teams", {"teams": {"core": ["nobody"]}})
    assert wrong.body["errors"][0]["field"] == "teams.core"
    path, token = "/orgs/octo/teams/core/memberships", standin.token(members="read")
    found = standin.ask("GET", f"{path}/maintainer", token=token)
    assert (found.status, found.body["state"]) == (200, "active")
    assert standin.ask("GET", f"{path}/outsider", token=token).status == 404
    assert standin.ask("GET", f"{path}/maintainer".replace("core", "other"), token=token).status == 404
    assert standin.ask("GET", f"{path}/maintainer", token=standin.token(contents="read")).status == 403
    assert standin.ask("GET", f"{path}/maintainer").status == 200
    assert standin.ask("GET", f"{path}/maintainer", token=OUTSIDER).status == 404
    assert standin.ask("GET", f"{path}/maintainer", token=None).status == 401
    assert standin.ask("GET", f"{path}/maintainer".replace("octo", "outsider")).status == 404


@pytest.mark.parametrize("event", ["issues", "pull_request"])
def test_people_are_assigned(standin: StandIn, event: str) -> None:
    """Who may write or takes part can be assigned, and each is told of; strangers cannot assign.

    https://docs.github.com/en/rest/issues/assignees
    """
    fresh(standin, permissions={"maintainer": "admin"})
    if event == "issues":
        number = standin.ask("POST", f"{REPO}/issues", {"title": "One"}).body["number"]
    else:
        write(standin, {"b.txt": "1\n"})
        number = standin.pull().body["number"]
    path, both = f"{REPO}/issues/{number}/assignees", {"assignees": ["maintainer", "outsider", "nobody"]}
    assert standin.ask("POST", path, both, OUTSIDER).status == 403
    made = standin.ask("POST", path, both)
    assert (made.status, [it["login"] for it in made.body["assignees"]]) == (201, ["maintainer"])
    standin.ask("POST", f"{REPO}/issues/{number}/comments", {"body": "Me"}, OUTSIDER)
    again = standin.ask("POST", path, both, standin.token(issues="write"))
    assert [it["login"] for it in again.body["assignees"]] == ["maintainer", "outsider"]
    left = standin.ask("DELETE", path, {"assignees": ["maintainer"]})
    assert (left.status, left.body["assignee"]["login"]) == (200, "outsider")
    told = [(it["action"], it["assignee"]["login"]) for it in payloads(standin, event) if "assignee" in it]
    assert told == [("assigned", "maintainer"), ("assigned", "outsider"), ("unassigned", "maintainer")]
