"""Whose comments reach the agent."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pullwright.models import AgentRequest, AuthorRole, IssueComment, ReviewThread
from pullwright.repository.configuration import Configuration, read_configuration
from pullwright.repository.document import ConfigurationError
from runner.agent.comments import select_comments
from runner.agent.prompt import build_prompt
from tests.unit.runner_kit import WHEN, a_request

if TYPE_CHECKING:
    from pullwright.repository.configuration import Commenters

COMMENTS = tuple(
    IssueComment(author=role, author_role=role, created_at=WHEN, body=f"said by {role}")
    for role in AuthorRole
)


@pytest.mark.parametrize(
    ("commenters", "reach"),
    [("writers", ["writer"]), ("everyone", ["writer", "reader", "unknown"])],
)
def test_only_whom_the_repository_trusts_is_heard(commenters: Commenters, reach: list[str]) -> None:
    """Writers always, everybody if the configuration says so, Apps that are not allowed never."""
    request, sentence = select_comments(a_request(comments=COMMENTS), commenters)
    assert [one.author for one in request.comments] == reach
    assert sentence is not None
    assert sentence.startswith(f"Of 4 comments, {4 - len(reach)} did not reach the agent")
    assert ("comments: everyone" in sentence) == (commenters == "writers")
    prompt = build_prompt(request, "n")
    assert [one.author for one in COMMENTS if one.body in prompt] == reach


def test_nothing_is_said_when_all_are_heard() -> None:
    """Who hears everything is told nothing; comments that were never read count as not heard."""
    assert select_comments(a_request(comments=COMMENTS[:1]), "writers") == (
        a_request(comments=COMMENTS[:1]),
        None,
    )
    _, sentence = select_comments(a_request(comments=COMMENTS[:1], comments_left_out=7), "everyone")
    assert sentence is not None
    assert sentence.startswith("Of 8 comments, 7 did not reach the agent")


@pytest.mark.parametrize(("finding", "heard"), [("0" * 16, ["app", "writer"]), (None, ["writer"])])
def test_in_threads_the_same_are_heard(finding: str | None, heard: list[str]) -> None:
    """What we have found ourselves stays; strangers and other Apps count as they do elsewhere."""
    said = sorted(COMMENTS, key=lambda comment: comment.author_role is not AuthorRole.APP)
    threads = (ReviewThread(id="t", path="a.py", finding=finding, comments=tuple(said)),)
    request, sentence = select_comments(a_request(threads=threads), "writers")
    [thread] = request.threads
    assert [comment.author for comment in thread.comments] == heard
    assert sentence is not None
    assert sentence.startswith(f"Of 4 comments, {4 - len(heard)} did not reach the agent")


def test_writers_are_the_default_also_of_a_broken_file() -> None:
    """Only the words `comments: everyone` let strangers in."""
    assert Configuration().comments == "writers"
    assert read_configuration(b"version: 1").comments == "writers"
    assert read_configuration(b"comments: everyone").comments == "everyone"
    for wrong in (b"comments: all", b"comments: [everyone]", b"comments: true", b"comments:"):
        with pytest.raises(ConfigurationError, match="comments"):
            read_configuration(wrong)


def test_requests_of_older_versions_are_read() -> None:
    """A request without roles is read, and nobody in it counts as a writer."""
    fields = json.loads(a_request(comments=COMMENTS).model_dump_json())
    for name in ("opened_by", "opened_by_role", "comments_left_out"):
        del fields[name]
    for comment in fields["comments"]:
        del comment["author_role"]
    request = AgentRequest.model_validate_json(json.dumps(fields))
    assert {one.author_role for one in request.comments} == {AuthorRole.UNKNOWN}
    assert select_comments(request, "writers")[0].comments == ()
