"""The webhook's part of reading workers: which deliveries may have changed them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pullwright.events.messages import MESSAGE, QueuedSync
from pullwright.webhook.answers import Refused
from pullwright.webhook.syncing import syncing

REPOSITORY = {"full_name": "octo/widgets", "default_branch": "main"}
HASH = "a" * 40


def synced(event: str, **payload: Any) -> dict[str, Any] | None:
    """Return what the message says, checked as the queue's reader checks it; None without a message."""
    sync = syncing(event, {"installation": {"id": 7}, "repository": REPOSITORY, **payload})
    if sync is None:
        return None
    assert isinstance(MESSAGE.validate_json(sync.message), QueuedSync)
    message: dict[str, Any] = json.loads(sync.message)
    assert (message.pop("kind"), message.pop("installation_id")) == ("sync", 7)
    return message


def commit(**paths: list[str]) -> dict[str, Any]:
    """Return a commit as a push lists it."""
    return {"id": HASH, "added": [], "removed": [], "modified": [], **paths}


OURS = [commit(modified=["a.py"]), commit(removed=[".pullwright/workers/docs.yaml"])]
OTHERS = [commit(added=["pullwright/a", "docs/.pullwright/b", ".pullwright.md"])]
ONE = {"repositories": ["octo/widgets"], "commit": HASH}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"commits": OURS}, ONE),
        ({"commits": OTHERS}, None),
        ({"commits": OURS, "ref": "refs/heads/claude/7"}, None),
        ({"commits": OURS, "ref": "refs/tags/main"}, None),
        ({"commits": OURS, "deleted": True}, None),
        ({"commits": OTHERS, "forced": True}, ONE),
        ({"commits": OTHERS, "created": True}, ONE),
        ({"commits": OTHERS * 19}, None),
        ({"commits": OTHERS * 20}, ONE),
        ({"commits": []}, ONE),
        ({"commits": None}, ONE),
        ({"commits": [{"id": HASH, "added": []}]}, ONE),
        ({"commits": ["no commit"]}, ONE),
    ],
)
def test_a_push_counts_if_it_may_have_touched_the_folder(
    changes: dict[str, Any], message: dict[str, Any] | None
) -> None:
    """Only on the default branch; a list of files that cannot be whole says nothing against it."""
    push = {"ref": "refs/heads/main", "after": HASH, "forced": False, "created": False, **changes}
    assert synced("push", **push) == message


@pytest.mark.parametrize(
    ("event", "payload", "message"),
    [
        ("installation", {"action": "created"}, {"repositories": None}),
        ("installation", {"action": "unsuspend"}, {"repositories": None}),
        ("installation", {"action": "new_permissions_accepted"}, {"repositories": None}),
        ("installation", {"action": "deleted"}, None),
        ("installation", {"action": ["created"]}, None),
        ("installation_repositories", {"action": "removed"}, None),
        ("installation_repositories", {"action": "added", "repositories_added": None}, None),
        ("repository", {"action": "deleted"}, {"repositories": ["octo/widgets"], "is_gone": True}),
        ("repository", {"action": "edited", "changes": {"description": {}}}, None),
        (
            "repository",
            {"action": "edited", "changes": {"default_branch": {"from": "master"}}},
            {"repositories": ["octo/widgets"]},
        ),
        (
            "repository",
            {"action": "renamed", "changes": {"repository": {"name": {"from": "gadgets"}}}},
            {"repositories": ["octo/widgets", "octo/gadgets"]},
        ),
        (
            "repository",
            {"action": "transferred", "changes": {"owner": {"from": {"organization": {"login": "acme"}}}}},
            {"repositories": ["octo/widgets", "acme/widgets"]},
        ),
        (
            "repository",
            {"action": "transferred", "changes": {"owner": {"from": {"user": {"login": "ada"}}}}},
            {"repositories": ["octo/widgets", "ada/widgets"]},
        ),
        ("repository", {"action": "renamed", "changes": None}, {"repositories": ["octo/widgets"]}),
        ("repository", {"action": "publicized"}, None),
        ("issues", {"action": "created"}, None),
    ],
)
def test_installations_and_repositories_that_change(
    event: str, payload: dict[str, Any], message: dict[str, Any] | None
) -> None:
    """Fields as in https://docs.github.com/en/webhooks/webhook-events-and-payloads#repository."""
    assert synced(event, **payload) == message


@pytest.mark.parametrize(("number", "names"), [(100, True), (101, False)])
def test_many_repositories_become_the_whole_installation(
    number: int,
    names: bool,  # noqa: FBT001 - a parameter of pytest's
) -> None:
    """A message has room for 256 KiB; the reader asks GitHub for what there is."""
    added = [{"full_name": f"octo/{'n' * 90}{at}"} for at in range(number)]
    message = synced("installation_repositories", action="added", repositories_added=added)
    assert message is not None
    assert (message["repositories"] is not None) is names
    assert len(json.dumps(message)) < 256 << 10


def test_a_delivery_without_an_installation_is_refused() -> None:
    """The field is named."""
    with pytest.raises(Refused) as caught:
        syncing("installation", {"action": "created"})
    assert caught.value.answer.field == "installation.id"


def test_the_log_names_a_repository_that_is_alone() -> None:
    """Several are not listed there."""
    payload = {"installation": {"id": 7}, "repository": REPOSITORY, "action": "deleted"}
    message = syncing("repository", payload)
    assert message is not None
    assert message.repository == "octo/widgets"
    assert json.loads(message.message) == {
        "kind": "sync",
        "installation_id": 7,
        "repositories": ["octo/widgets"],
        "is_gone": True,
    }
