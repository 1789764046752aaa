"""Which texts an agent's request holds, in which version, and what it says of their authors."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from pullwright.errors import (
    GitHubRateLimited,
    GitHubRefused,
    GitHubUnavailable,
    InvalidRequest,
    IssueEdited,
    PullwrightError,
)
from pullwright.github.payloads import Comment, User
from pullwright.github.transport import Response
from pullwright.models import AuthorRole
from pullwright.opening.conversation import MOST_COMMENTS, read_conversation
from pullwright.opening.people import People
from pullwright.opening.shown import shown
from tests.unit.pipeline_kit import ASKED, PERSON, REPOSITORY, STRANGER, Deployment, refused

if TYPE_CHECKING:
    from pullwright.github import GitHubClient
    from pullwright.models import AgentRequest

WHEN = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
HIDING = "Seen <!-- unseen --> [here](https://x.example/unseen 'unseen') ![unseen](p.png)"
SEEN = "Seen here [image]"


def request_of(deployment: Deployment, session_id: str = "s-1") -> AgentRequest:
    """Return what the task will read."""
    request = deployment.artifacts.read_request(session_id)
    assert request is not None
    return request


def calls(deployment: Deployment, method: str, end: str) -> int:
    """Return how often something was asked for."""
    return sum(seen[0] == method and seen[1].endswith(end) for seen in deployment.github.seen)


def hashes(title: str, body: str) -> dict[str, Any]:
    """Return what a webhook carries."""
    digests = {"title_sha256": title, "body_sha256": body}
    return {**ASKED, **{name: sha256(text.encode()).hexdigest() for name, text in digests.items()}}


def test_the_rendering_is_that_of_the_version_that_was_asked_for(deployment: Deployment) -> None:
    """An edited text is rendered anew, in the version that the hashes name; others come rendered."""
    number = deployment.github.issue(body=HIDING)
    deployment.open(issue=number, **hashes("Sum of nothing", HIDING))
    assert request_of(deployment).body == SEEN
    assert calls(deployment, "POST", "/markdown") == 0
    deployment.end()
    deployment.github.person("PATCH", f"/issues/{number}", {"body": "Obey <!-- me -->"})
    deployment.open("s-2", issue=number, **hashes("Sum of nothing", HIDING))
    assert request_of(deployment, "s-2").body == SEEN
    assert calls(deployment, "POST", "/markdown") == 1


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (Response(502, {}), GitHubUnavailable),
        (Response(403, {"retry-after": "3600"}), GitHubRateLimited),
        (Response(400, {}), GitHubRefused),
        (Response(200, {}, {"html": "no text"}), GitHubUnavailable),
    ],
)
def test_what_cannot_be_rendered_is_not_read(
    deployment: Deployment, response: Response, error: type[PullwrightError]
) -> None:
    """Without a rendering the session fails, or is tried again; the text itself is never taken."""
    number = deployment.github.issue(body=HIDING)
    deployment.github.person("PATCH", f"/issues/{number}", {"body": "Something else"})
    deployment.github.before = [("POST", "/markdown", response)] * 3
    refused(deployment, error, issue=number, **hashes("Sum of nothing", HIDING))
    assert deployment.artifacts.requests == {}


def test_a_short_outage_is_waited_for(deployment: Deployment) -> None:
    """Rendering changes nothing, so it is asked for again as reading is."""
    number = deployment.github.issue(body=HIDING)
    deployment.github.person("PATCH", f"/issues/{number}", {"body": "Something else"})
    deployment.github.before = [("POST", "/markdown", Response(502, {}))] * 2
    deployment.open(issue=number, **hashes("Sum of nothing", HIDING))
    assert request_of(deployment).body == SEEN


def test_a_text_without_its_rendering_is_rendered(deployment: Deployment) -> None:
    """An answer that lacks `body_html` is completed, not taken as it is; an empty text needs nothing."""
    client = deployment.github.app().client(REPOSITORY, {"metadata": "read"})
    deployment.github.repository(full_name="octo/other")
    assert shown(client, REPOSITORY, HIDING, None) == SEEN
    assert shown(client, REPOSITORY, HIDING, "<p>x</p>") == "x"
    assert shown(client, REPOSITORY, " \n", "<p>x</p>") == ""
    assert shown(client, REPOSITORY, None, None) == ""
    with pytest.raises(GitHubRefused, match="too long"):
        shown(client, REPOSITORY, "x", "<p>" * (3 << 20))


def test_a_pull_request_asked_for_as_an_issue_is_read_as_it_was(deployment: Deployment) -> None:
    """Its text is that of the answer whose hashes were checked, not of a later one."""
    deployment.github.commit("topic")
    fields = {"head": "topic", "base": "main", "title": "Topic", "body": HIDING}
    number = deployment.github.person("POST", "/pulls", fields)["number"]
    pull = deployment.github.person("GET", f"/pulls/{number}")
    later = {**pull, "title": "Obey", "body": "Obey", "body_html": "<p>Obey</p>"}
    deployment.github.before = [("GET", f"/pulls/{number}", Response(200, {}, later))]
    deployment.open(issue=number, **hashes("Topic", HIDING))
    request = request_of(deployment)
    assert (request.title, request.body, request.opened_by) == ("Topic", SEEN, PERSON)
    deployment.end()
    deployment.github.person("PATCH", f"/pulls/{number}", {"body": "Obey"})
    refused(deployment, IssueEdited, issue=number, **hashes("Topic", "something that never stood there"))


def test_authors_are_named_with_what_they_may_do(deployment: Deployment) -> None:
    """Writers and strangers are told apart by GitHub's answer, for the issue and for each comment."""
    number = int(
        deployment.github.person("POST", "/issues", {"title": "T", "body": "B"}, login=STRANGER)["number"]
    )
    for login in (PERSON, STRANGER, PERSON):
        deployment.github.person("POST", f"/issues/{number}/comments", {"body": f"by {login}"}, login=login)
    deployment.open(issue=number, started_at=datetime.now(UTC) + timedelta(minutes=1), **ASKED)
    request = request_of(deployment)
    assert (request.opened_by, request.opened_by_role) == (STRANGER, AuthorRole.READER)
    assert [(one.author, one.author_role) for one in request.comments] == [
        (PERSON, AuthorRole.WRITER),
        (STRANGER, AuthorRole.READER),
        (PERSON, AuthorRole.WRITER),
    ]
    assert calls(deployment, "GET", "/permission") == 2


def test_what_cannot_be_seen_is_not_in_a_prompt(deployment: Deployment) -> None:
    """Invisible characters are dropped from a prompt and a name; a prompt of nothing else is refused."""
    refused(deployment, InvalidRequest, prompt="\u2063\u200b")
    deployment.open(prompt="Do\x07 it\u200b\U000e0041 now", requested_by="some\nbody\u202e")
    request = request_of(deployment)
    assert (request.prompt, request.requested_by) == ("Do it now", "some body")


class Crowd:
    """GitHub with many comments.

    Attributes:
        read: ids of the comments that were read.
    """

    def __init__(self, *comments: Comment, writers: tuple[str, ...] = ()) -> None:
        self.comments = {one.id: one for one in comments}
        self._writers = writers
        self.asked: list[str] = []
        self.read: list[int] = []

    def permission_of(self, _repository: str, login: str) -> str:
        """See `GitHubClient`."""
        self.asked.append(login)
        return "write" if login in self._writers else "read"

    def get_comment(self, _repository: str, comment_id: int) -> Comment | None:
        """See `GitHubClient`."""
        self.read.append(comment_id)
        return self.comments.get(comment_id)


def comment(number: int, login: str | None, html: str = "<p>text</p>", **more: Any) -> Comment:
    """Return a comment, each a minute after the one before."""
    at = WHEN + timedelta(minutes=number)
    user = None if login is None else User(id=number + 100, login=login)
    fields = {
        "id": number,
        "user": user,
        "body": "raw",
        "body_html": html,
        "created_at": at,
        "updated_at": at,
    }
    return Comment.model_validate({**fields, **more})


def conversation(crowd: Any, allowed_apps: str = "") -> Any:
    """Read a crowd's comments."""
    client: GitHubClient = crowd
    people = People(client, REPOSITORY, allowed_apps)
    there = [one.model_copy(update={"body_html": None}) for one in crowd.comments.values()]
    return read_conversation(client, people, there, WHEN + timedelta(days=9), bot_id=7)


def test_a_crowd_is_asked_for_once_each_and_not_for_ever() -> None:
    """Each login is looked up once, the newest thirty at most; who was not is unknown, and no writer."""
    crowd = Crowd(*(comment(number, f"p{number % 40}") for number in range(80)), writers=("p0", "p39"))
    roles = {one.author: one.author_role for one in conversation(crowd).comments}
    assert crowd.asked == [f"p{number}" for number in range(39, 9, -1)]
    assert roles["p39"] is AuthorRole.WRITER
    assert roles["p0"] is AuthorRole.UNKNOWN


def test_writers_are_not_drowned_out() -> None:
    """Of more comments than are read, those of writers come first, and the newest of the others."""
    strangers = [comment(number, f"s{number % 9}") for number in range(2, 300)]
    crowd = Crowd(comment(1, "maintainer"), *strangers, writers=("maintainer",))
    read = conversation(crowd)
    assert len(read.comments) == len(crowd.read) == MOST_COMMENTS
    assert (read.comments[0].author, read.left_out) == ("maintainer", 199)
    assert read.comments == tuple(sorted(read.comments, key=lambda one: one.created_at))


def test_apps_and_deleted_accounts_are_no_writers() -> None:
    """An App counts if the deployment lists it, whatever its name ends in; a deleted account never."""
    crowd = Crowd(
        comment(1, "renovate[bot]"), comment(2, "evil[bot]"), comment(3, None), comment(4, "renovate")
    )
    roles = [one.author_role for one in conversation(crowd, "renovate").comments]
    assert roles == [AuthorRole.WRITER, AuthorRole.APP, AuthorRole.READER, AuthorRole.READER]
    assert crowd.asked == ["renovate"]


def test_hidden_comments_are_not_read() -> None:
    """What people have hidden on the page, which GitHub's description of a comment tells, does not count."""
    hidden = comment(1, "a", minimized={"reason": "spam"})
    crowd = Crowd(comment(0, "a"), hidden, comment(2, "a"))
    crowd.comments[2] = comment(2, "a", minimized={"reason": "off-topic"})
    people = People(crowd, REPOSITORY, "")  # type: ignore[arg-type] # a double of the client
    client: Any = crowd
    there = [comment(0, "a"), hidden, comment(2, "a")]
    read = read_conversation(client, people, there, WHEN + timedelta(days=9), bot_id=7)
    assert [one.created_at for one in read.comments] == [WHEN]
    assert crowd.read == [0, 2]


def test_a_comment_that_changed_while_it_was_read_is_left_out() -> None:
    """What was edited or deleted between the list and the comment is not taken, nor what is too long."""
    late = {"updated_at": WHEN + timedelta(days=10)}
    crowd = Crowd(*(comment(number, "a") for number in range(4)))
    people = People(crowd, REPOSITORY, "")  # type: ignore[arg-type] # a double of the client
    there = list(crowd.comments.values())
    crowd.comments[1] = comment(1, "a", "<p>obey</p>", **late)
    crowd.comments[2] = comment(2, "a", "<p>" * (3 << 20))
    del crowd.comments[3]
    client: Any = crowd
    read = read_conversation(client, people, there, WHEN + timedelta(days=9), bot_id=7)
    assert [one.body for one in read.comments] == ["text"]
    assert read.left_out == 1
