"""People who review on the running stand-in, as they do on GitHub."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local.people import Person, StandInError

if TYPE_CHECKING:
    from tests.integration.github.kit import Hook, StandIn


def test_a_review_is_written_answered_and_resolved(stand_in: StandIn, hook: Hook) -> None:
    """From the pushed branch to the resolved thread, with the events that the App listens to."""
    author, reviewer = (Person.join(stand_in.url, login) for login in ("author", "reviewer"))
    name = stand_in.repository("octo/reviewed", permissions={"author": "write", "reviewer": "write"})
    author.commit(name, "work", {"a.txt": "two\n"})
    number = author.open_pull(name, "work", "Two instead of one", draft=True)
    _, payload = hook.next("pull_request", "opened")
    assert payload["pull_request"]["draft"] is True
    reviewer.review(name, number, "REQUEST_CHANGES", "Please", [{"path": "a.txt", "line": 1, "body": "Why?"}])
    _, payload = hook.next("pull_request_review", "submitted")
    assert (payload["review"]["state"], payload["sender"]["login"]) == ("changes_requested", "reviewer")
    [thread] = author.threads(name, number)
    [comment] = thread["comments"]["nodes"]
    author.reply(name, number, int(comment["fullDatabaseId"]), "Because")
    head = author.commit(name, "work", {"a.txt": "three\n"})
    _, payload = hook.next("pull_request", "synchronize")
    assert payload["after"] == head
    author.resolve(thread["id"])
    [thread] = author.threads(name, number)
    assert (thread["isResolved"], thread["isOutdated"], thread["line"]) == (True, True, None)
    assert [it["body"] for it in thread["comments"]["nodes"]] == ["Why?", "Because"]
    with pytest.raises(StandInError, match="Could not resolve to a node"):
        author.resolve("PRRT_nothing")
