"""Requests that cannot be worked on: each ends in the record, and on GitHub where possible."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from local.people import call
from tests.integration.conftest import LABEL, Repositories, Repository

if TYPE_CHECKING:
    from pathlib import Path

    from local.sessions import Session, Stack
    from pullwright.record import SessionRecord


def assert_refused(session: Session, error: str, failure_class: str = "user") -> SessionRecord:
    """Check that a session failed for a reason, is closed and holds nothing; return its record."""
    assert session.status() == "FAILED"
    record = session.record()
    assert (record.status, record.error, record.failure_class) == ("FAILED", error, failure_class)
    assert record.sentence
    assert record.remedy
    assert record.closed_at is not None
    items = session.stack.client("dynamodb").scan(TableName=session.stack.outputs["SessionsTable"])["Items"]
    owners = [item.get("owner", {}).get("S") for item in items if item["pk"]["S"].startswith("LOCK#")]
    assert session.arn not in owners
    assert not any(session.id in item.get("holders", {}).get("SS", []) for item in items)
    return record


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        ({}, "repository"),
        ({"repository": "o/r"}, "issue"),
        ({"repository": "no-slash", "issue": 1}, "repository"),
        ({"repository": 7, "issue": 1}, "repository"),
        ({"repository": "o/..", "issue": 1}, "repository"),
        ({"repository": "o/r", "issue": "1"}, "issue"),
        ({"repository": "o/r", "issue": 0}, "issue"),
        ({"repository": "o/r", "issue": True}, "issue"),
        ({"repository": "o/r", "issue": 1, "pull_request": 2}, "pull_request"),
        ({"repository": "o/r", "issue": 1, "colour": "red"}, "colour"),
        ({"repository": "o/r", "issue": 1, "limits": {"usd": -1}}, "limits.usd"),
        ({"repository": "o/r", "issue": 1, "worker": "gardener"}, "worker"),
        ({"repository": "o/r", "prompt": "   "}, "prompt"),
    ],
)
def test_a_wrong_input_names_the_field(stack: Stack, request_: dict[str, Any], field: str) -> None:
    """An execution input that is wrong ends as InvalidRequest, and the message names the field."""
    session = stack.start(request_)
    session.wait(60)
    record = assert_refused(session, "InvalidRequest")
    assert field in (record.sentence or "")
    described = stack.client("stepfunctions").describe_execution(executionArn=session.arn)
    assert described["error"] == "InvalidRequest"
    assert field in described["cause"]


def test_an_input_that_is_no_object_is_recorded(stack: Stack) -> None:
    """Even an input that is a list leaves a closed session record."""
    arn = stack.client("stepfunctions").start_execution(
        stateMachineArn=stack.outputs["StateMachineArn"], input="[1, 2]"
    )["executionArn"]
    session = type(stack.start({}))(stack, arn)
    session.wait(60)
    assert_refused(session, "InvalidRequest")


def test_an_issue_without_text_is_answered_on_the_issue(repository: Repository) -> None:
    """An issue without a description gets a sentence, and no pull request."""
    issue = repository.issue(body="")
    assert_refused(repository.label(issue), "IssueWithoutText")
    assert repository.pulls() == []
    [comment] = repository.comments(issue)
    assert "description" in comment


def test_a_refusal_is_one_comment_however_often_it_happens(repository: Repository) -> None:
    """A second refusal on the same issue edits the first comment, and so does a session that can begin."""
    issue = repository.issue(body="")
    repository.start(issue=issue)
    repository.start(issue=issue)
    assert len(repository.comments(issue)) == 1
    repository.rest("PATCH", f"/issues/{issue}", {"body": "Print `good bye` too."})
    url = repository.start(issue=issue).record().pull_request_url
    [comment] = repository.comments(issue)
    assert url is not None
    assert url in comment


def test_a_closed_issue_is_refused(repository: Repository) -> None:
    """A closed issue starts no work."""
    issue = repository.issue()
    repository.rest("PATCH", f"/issues/{issue}", {"state": "closed"})
    assert_refused(repository.label(issue), "IssueClosed")
    assert repository.pulls() == []
    assert len(repository.comments(issue)) == 1


def test_an_unknown_issue_is_refused(repository: Repository) -> None:
    """An issue that does not exist is said so."""
    record = assert_refused(repository.start(issue=404), "IssueNotFound")
    assert "404" in (record.sentence or "")


def test_an_empty_repository_is_refused(repositories: Repositories) -> None:
    """A repository without a commit is answered on the issue."""
    repository = repositories.make(files={})
    issue = repository.issue()
    assert_refused(repository.start(issue=issue), "RepositoryEmpty")
    assert len(repository.comments(issue)) == 1


def test_the_default_branch_is_not_worked_on(repository: Repository) -> None:
    """A pull request from the default branch is told what helps there, not what helps usually."""
    head = repository.rest("GET", "/git/ref/heads/main")["object"]["sha"]
    repository.rest("POST", "/git/refs", {"ref": "refs/heads/release", "sha": head})
    tree = repository.rest("GET", f"/git/commits/{head}")["tree"]["sha"]
    ahead = repository.rest("POST", "/git/commits", {"message": "ahead", "tree": tree, "parents": [head]})
    repository.rest("PATCH", "/git/refs/heads/main", {"sha": ahead["sha"]})
    number = repository.rest("POST", "/pulls", {"head": "main", "base": "release", "title": "Back"})["number"]
    record = assert_refused(repository.start(pull_request=number), "BranchProtected")
    assert "from another branch" in str(record.remedy)
    [comment] = repository.comments(number)
    assert record.remedy is not None
    assert record.remedy in comment


def test_a_missing_base_branch_is_refused(repository: Repository) -> None:
    """A base branch that does not exist is named."""
    issue = repository.issue()
    record = assert_refused(repository.start(issue=issue, base="release/9"), "BaseBranchNotFound")
    assert "release/9" in (record.sentence or "")
    assert len(repository.comments(issue)) == 1


def test_an_archived_repository_is_refused(repository: Repository) -> None:
    """An archived repository takes no comment; the record tells."""
    issue = repository.issue()
    repository.rest("PATCH", "", {"archived": True})
    assert_refused(repository.start(issue=issue), "RepositoryArchived")


def test_a_repository_without_the_app_is_refused(repositories: Repositories) -> None:
    """Where the App is not installed nothing can be said on GitHub; the record tells."""
    repository = repositories.make(installed=False)
    issue = repository.issue()
    assert_refused(repository.start(issue=issue), "AppNotInstalled")
    assert repository.comments(issue) == []


def test_an_unknown_repository_is_refused(stack: Stack) -> None:
    """A repository that does not exist looks like one without the App."""
    session = stack.start({"repository": "nobody/nothing", "issue": 1})
    session.wait(60)
    assert_refused(session, "AppNotInstalled")


def test_a_missing_permission_is_named(repositories: Repositories) -> None:
    """An installation that lacks a permission is said so, with the permission's name."""
    repository = repositories.make(
        installation_permissions={"metadata": "read", "issues": "write", "pull_requests": "write"}
    )
    record = assert_refused(repository.start(issue=repository.issue()), "PermissionMissing")
    assert "contents" in (record.sentence or "")
    assert repository.pulls() == []


def _push_as_person(repository: Repository, folder: Path, branch: str) -> str:
    """Push a person's commit to a branch and return its hash."""
    url = f"{repository.stack.github_url}/{repository.name}.git".replace(
        "http://", f"http://{repository.person.login}:{repository.person.token}@"
    )

    def git(*arguments: str) -> str:
        identity = ["-c", "user.name=Maintainer", "-c", "user.email=maintainer@example.invalid"]
        done = subprocess.run(
            ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    git("clone", "--quiet", url, ".")
    git("checkout", "--quiet", "-B", branch)
    (folder / "mine.txt").write_text("a person's work\n")
    git("add", "mine.txt")
    git("commit", "--quiet", "--message", "A person's work")
    git("push", "--quiet", "origin", f"HEAD:refs/heads/{branch}")
    return git("rev-parse", "HEAD")


def test_other_peoples_branch_is_left_alone(repository: Repository, tmp_path: Path) -> None:
    """A branch of the same name with other people's commits is refused and not touched."""
    issue = repository.issue()
    sha = _push_as_person(repository, tmp_path, f"claude/{issue}")
    assert_refused(repository.start(issue=issue), "BranchNotOurs")
    assert repository.rest("GET", f"/git/ref/heads/claude/{issue}")["object"]["sha"] == sha
    assert repository.pulls() == []
    assert len(repository.comments(issue)) == 1


def test_a_persons_commit_on_our_branch_is_kept(repository: Repository, tmp_path: Path) -> None:
    """When a person added to our branch, the next session goes on from there, without force."""
    issue = repository.issue()
    repository.start(issue=issue)
    clone = tmp_path / "clone"
    clone.mkdir()
    url = f"{repository.stack.github_url}/{repository.name}.git".replace(
        "http://", f"http://{repository.person.login}:{repository.person.token}@"
    )
    script = (
        f"git clone --quiet --branch claude/{issue} {url} . && echo mine > mine.txt && git add mine.txt && "
        "git -c user.name=Maintainer -c user.email=maintainer@example.invalid commit --quiet -m mine && "
        "git push --quiet"
    )
    subprocess.run(["sh", "-c", script], cwd=clone, check=True)
    again = repository.start(issue=issue)
    assert again.status() == "SUCCEEDED", again.record()
    commits = repository.rest("GET", f"/pulls/{again.record().pull_request}/commits")
    assert "mine" in [commit["commit"]["message"] for commit in commits]


def test_a_pull_request_closed_by_hand_stays_closed(repository: Repository) -> None:
    """A pull request that a person closed is not reopened behind their back."""
    issue = repository.issue()
    number = repository.start(issue=issue).record().pull_request
    repository.rest("PATCH", f"/pulls/{number}", {"state": "closed"})
    assert_refused(repository.start(issue=issue), "PullRequestClosed")
    assert [pull["state"] for pull in repository.pulls()] == ["closed"]


def test_a_protected_branch_ends_with_a_sentence(repositories: Repositories) -> None:
    """Rules that refuse our branch end the session with a sentence on GitHub."""
    repository = repositories.make(protected_branches=["claude/*"])
    issue = repository.issue()
    assert_refused(repository.start(issue=issue), "BranchProtected")
    assert len(repository.comments(issue)) == 1


@pytest.mark.parametrize(
    ("rules", "error"),
    [
        (["required_signatures", "non_fast_forward", "required_linear_history"], ""),
        (["creation"], "BranchProtected"),
        (["update"], "BranchProtected"),
    ],
)
def test_rulesets_are_kept_or_told(repositories: Repositories, rules: list[str], error: str) -> None:
    """Signed commits satisfy every rule about commits; a rule about branches is told in GitHub's words."""
    ruleset = {
        "name": "all branches but the default one",
        "conditions": {"ref_name": {"include": ["~ALL"], "exclude": ["~DEFAULT_BRANCH"]}},
        "rules": [{"type": kind} for kind in rules],
    }
    repository = repositories.make(rulesets=[ruleset])
    session = repository.start(issue=repository.issue(), stub=True)
    record = session.record()
    assert (record.error or "") == error, record
    if error:
        assert "ref" in (record.sentence or "")
        return
    commits = repository.rest("GET", f"/pulls/{record.pull_request}/commits")
    # Ours, the work, and what holds CI in a public repository.
    assert [one["commit"]["verification"]["reason"] for one in commits] == ["valid"] * 3


def test_text_edited_after_the_label_is_not_worked_on(repository: Repository, stack: Stack) -> None:
    """An issue edited between label and start is refused: the agent never sees the later text."""
    issue = repository.issue(body="the first text")
    stamp = {"title_sha256": "0" * 64, "body_sha256": "0" * 64, "delivery_id": "d-1"}
    session = stack.start(
        {"repository": repository.name, "issue": issue, "requested_by": repository.person.login, **stamp}
    )
    session.wait(60)
    assert_refused(session, "IssueEdited")


def test_an_unreachable_github_ends_in_the_record(repository: Repository, stack: Stack) -> None:
    """A GitHub that fails twice is tried again, and the session ends well."""
    issue = repository.issue()
    fault = {"method": "POST", "path_regex": f"/repos/{repository.name}/pulls$", "status": 502, "times": 2}
    call(stack.github_url, "PUT", "/_standin/faults", [fault])
    try:
        repository.person.label(repository.name, issue, LABEL)
        session = stack.wait_for_execution(repository.name, issue, 30)
        assert session.wait(120) in ("SUCCEEDED", "FAILED")
    finally:
        call(stack.github_url, "PUT", "/_standin/faults", [])
    assert len(repository.pulls()) == 1
