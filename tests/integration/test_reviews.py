"""A person's pull request is read: inline comments once, and nothing of it is touched."""

from __future__ import annotations

import json
import re
import subprocess
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from local.people import Person, call
from local.sessions import Session
from tests.benchmarks.review import content_writes
from tests.integration.conftest import FILES, Repositories, Repository
from tests.integration.test_reconcile import until
from tests.integration.test_workers import WORKERS, stored
from tests.statemachine.kit import GOOD_PATH

if TYPE_CHECKING:
    from pathlib import Path

    from local.sessions import Stack

FIRST: dict[str, str | None] = {"src/app.py": "print('hello')\nprint(1 / 0)\nprint(undefined)\n"}
LONG: dict[str, str | None] = {"src/table.py": "".join(f"ROW_{row} = {row}\n" for row in range(500))}
"""500 lines to read besides."""
SECOND: dict[str, str | None] = {
    "src/app.py": "import sys\n\nprint('hello')\nprint(1 / 1)\nprint(undefined)\n"
}
ZERO = {"path": "src/app.py", "line": 2, "severity": "high", "text": "It divides by @zero."}
UNDEFINED = {"path": "src/app.py", "line": 3, "text": "This name is not defined."}
AGAIN = {"path": "src/app.py", "line": 5, "text": "Still nobody defines this name."}
NEW = {"path": "src/app.py", "line": 1, "severity": "low", "text": "Nothing uses this."}
ROWS = tuple(
    {"path": "src/table.py", "line": line, "text": f"Row {line} has no name."} for line in range(50, 500, 50)
)
FAR = {"path": "README.md", "line": 1, "text": "This file is not changed at all."}


@dataclass
class Read:
    """A pull request that was read when it was opened, and again after a push.

    Attributes:
        first: the first session.
        seen: the commit that it read.
        tokens: those that were made while it ran.
    """

    repository: Repository
    number: int
    first: Session
    second: Session
    seen: str
    tokens: list[str]

    def inline(self) -> list[dict[str, Any]]:
        """Return the comments in threads."""
        return list(self.repository.rest("GET", f"/pulls/{self.number}/comments"))

    def threads(self) -> dict[int, bool]:
        """Return by the line where a thread began whether it is resolved."""
        threads = self.repository.person.threads(self.repository.name, self.number)
        by_id = {comment["id"]: comment["original_line"] for comment in self.inline()}
        return {
            by_id[int(thread["comments"]["nodes"][0]["fullDatabaseId"])]: thread["isResolved"]
            for thread in threads
        }


def says(stack: Stack, title: str, *findings: dict[str, Any], resolved: tuple[str, ...] = ()) -> None:
    """Let the model read a file and then answer."""
    answer = {"summary": "Two things are to be mended.", "findings": findings, "resolved": resolved}
    steps = [
        {"tool": "Read", "input": {"file_path": "{cwd}/src/app.py"}},
        {"text": f"```json\n{json.dumps(answer)}\n```"},
    ]
    assert stack.model_url is not None
    call(stack.model_url, "PUT", "/_standin/scripts/review", {"match": title, "steps": steps})


@pytest.fixture(scope="module")
def read(stack: Stack, person: Person) -> Read:
    """Open a pull request, have it read, mend one of two things, and have it read again."""
    name = f"o{uuid.uuid4().hex[:10]}/r{uuid.uuid4().hex[:10]}"
    made = {
        "full_name": name,
        "permissions": {person.login: "admin"},
        "files": {"README.md": "# A project\n", f"{WORKERS}/review.yaml": "enabled: true\n"},
    }
    call(stack.github_url, "POST", "/_standin/repositories", made)
    repository, title = Repository(stack, person, name), f"Say hello {uuid.uuid4().hex}"
    until(lambda: any("#" in key.removeprefix("REPO#") for key in stored(repository)), "the workers")
    seen = person.commit(name, "topic", FIRST | LONG)
    says(stack, title, ZERO, UNDEFINED, *ROWS, FAR)
    before = set(call(stack.github_url, "GET", "/_standin/tokens"))
    number = person.open_pull(name, "topic", title, body="Please read it.")
    [arn] = until(lambda: stack.executions(name), "the session")
    first = Session(stack, arn)
    first.wait(180)
    tokens = sorted(set(call(stack.github_url, "GET", "/_standin/tokens")) - before)
    ids = {
        (comment["path"], comment["line"]): re.findall("finding:([0-9a-f]{16})", comment["body"])[0]
        for comment in repository.rest("GET", f"/pulls/{number}/comments")
    }
    says(stack, title, AGAIN, NEW, *ROWS, resolved=(ids["src/app.py", 2],))
    person.commit(name, "topic", SECOND)
    [arn] = until(lambda: [it for it in stack.executions(name) if it != first.arn], "the second session")
    second = Session(stack, arn)
    second.wait(180)
    return Read(repository, number, first, second, seen, tokens)


def test_the_first_session_comments_inline(read: Read) -> None:
    """One review with both findings that fit; the third stands in the session's own comment."""
    record = read.first.record()
    assert (record.status, record.outcome, record.mode) == ("SUCCEEDED", "commented", "comment"), record
    reviews = read.repository.rest("GET", f"/pulls/{read.number}/reviews")
    assert (reviews[0]["state"], reviews[0]["commit_id"]) == ("COMMENTED", read.seen)
    assert read.first.id.startswith("review-")
    assert record.requested_by == read.repository.person.login
    of_first = [it for it in read.inline() if it["original_commit_id"] == read.seen]
    assert sorted((it["path"], it["original_line"]) for it in of_first) == [
        *(("src/app.py", line) for line in (2, 3)),
        *(("src/table.py", row["line"]) for row in ROWS),
    ]
    assert "It divides by @\u200bzero." in read.inline()[0]["body"]
    assert [visit.name for visit in read.first.visits()] == GOOD_PATH


def test_the_second_push_repeats_nothing_and_resolves_what_it_mended(read: Read) -> None:
    """What still holds stays one comment, what is new is added, and the mended one is resolved."""
    assert read.second.record().outcome == "commented", read.second.record()
    assert len(read.inline()) == len(ROWS) + 3
    assert read.threads() == {2: True, 3: False, 1: False, **{row["line"]: False for row in ROWS}}
    [comment] = read.repository.comments(read.number)
    assert comment.startswith("<!-- pullwright:comment:review -->")
    for words in ("1 new comment", "10 comments from before still hold", "1 earlier one resolved"):
        assert words in comment
    assert "Two things are to be mended." in comment


def test_500_lines_take_four_content_writes_at_most(read: Read) -> None:
    """Opening, review, comment and report of a session that has eleven findings in them."""
    writes = content_writes(read.first, read.repository.name)
    assert 2 <= len(writes) <= 4, writes


def test_no_token_of_the_session_pushes(read: Read, tmp_path: Path) -> None:
    """With every token that was made for the first session git's push is refused; the person's is taken."""
    stack, name = read.repository.stack, read.repository.name
    address = f"{stack.github_url.removeprefix('http://')}/{name}.git"

    def git(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["git", *arguments], cwd=tmp_path, check=False, capture_output=True, text=True)

    assert git("clone", "-q", "--bare", f"http://{address}", ".").returncode == 0
    for number, token in enumerate([*read.tokens, read.repository.person.token]):
        url = f"http://x-access-token:{token}@{address}"
        pushed = git("push", url, f"{read.seen}:refs/heads/pushed-{number}")
        assert (pushed.returncode == 0) == (token == read.repository.person.token), pushed.stderr
        assert pushed.returncode == 0 or "403" in pushed.stderr
    # Those of opening, task and report.
    assert len(read.tokens) >= 3
    read.repository.rest("DELETE", f"/git/refs/heads/pushed-{len(read.tokens)}")


def test_the_branch_is_as_the_person_left_it(read: Read) -> None:
    """No commit, ref or checkpoint was added, and the pull request is the person's alone."""
    commits = read.repository.rest("GET", f"/pulls/{read.number}/commits")
    assert {commit["commit"]["author"]["name"] for commit in commits} == {read.repository.person.login}
    [pull] = read.repository.pulls()
    assert (pull["draft"], pull["title"].startswith("Say hello")) == (False, True)


@pytest.mark.usefixtures("stubs")
def test_a_strangers_fork_is_read_when_its_pull_request_opens(
    repositories: Repositories, stack: Stack
) -> None:
    """With a worker that is open to everybody and to forks, the webhook alone brings a stub's finding."""
    worker = "enabled: true\nallow: everybody\non: {event: pull_request, fork: true}\n"
    # Read when the App is installed: the webhook knows a repository's workers for some seconds.
    repository = repositories.make(files={**FILES, ".pullwright/workers/review.yaml": worker})
    table = stack.client("dynamodb")
    key = {"pk": {"S": f"REPO#{repository.name.lower()}"}}
    deadline = time.monotonic() + 60
    while "Item" not in table.get_item(TableName=stack.outputs["SessionsTable"], Key=key):
        assert time.monotonic() < deadline, "the workers were not stored"
        time.sleep(0.5)
    stranger = Person.join(stack.github_url, f"stranger-{uuid.uuid4().hex[:8]}")
    fork = stranger.rest("POST", f"/repos/{repository.name}/forks", {})["full_name"]
    head = stranger.commit(fork, "topic", FIRST)
    before = repository.rest("GET", "/git/matching-refs/heads/")
    number = stranger.open_pull(repository.name, f"{stranger.login}:topic", "Say hello", body="Please.")
    while not (started := stack.executions(repository.name)):
        assert time.monotonic() < deadline + 60, "no session was started"
        time.sleep(0.5)
    [session] = [Session(stack, arn) for arn in started]
    assert session.wait(120) == "SUCCEEDED", session.record()
    [comment] = repository.rest("GET", f"/pulls/{number}/comments")
    assert (comment["original_commit_id"], comment["path"]) == (head, "src/app.py")
    request = json.loads(session.artifacts()["request.json"])
    assert (request["is_fork"], request["requested_by"]) == (True, stranger.login)
    assert repository.rest("GET", "/git/matching-refs/heads/") == before
