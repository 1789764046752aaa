"""What a delivery says about things that workers are filtered by."""

from collections.abc import Mapping
from typing import Any

from pullwright.json_object import as_object
from pullwright.webhook.payload import field
from pullwright.workers.events import CHECK_SUITE, CONCLUSIONS, EVENTS, LABELED, STATUS
from pullwright.workers.routing import Delivery

_BRANCH = "refs/heads/"
# A push lists no more commits than these: https://docs.github.com/en/webhooks/webhook-events-and-payloads#push
_MOST_COMMITS = 2_048


def read_delivery(event: str, payload: Mapping[str, Any]) -> Delivery:
    """Read what the router asks for; what a payload does not say is empty.

    https://docs.github.com/en/webhooks/webhook-events-and-payloads

    Raises:
        Refused: action, label or sender is missing or wrong; the answer names it.
    """
    action = field(payload, "action", str) if EVENTS[event].actions else ""
    pull_request = as_object(payload.get("pull_request"))
    head = as_object(pull_request.get("head"))
    return Delivery(
        event=event,
        action=action,
        actor=field(payload, "sender.login", str),
        label=field(payload, "label.name", str) if action == LABELED else "",
        labels=_names(as_object(payload.get("issue")) or pull_request),
        comment=_text(as_object(payload.get("comment") or payload.get("review")).get("body")),
        base=_text(as_object(pull_request.get("base")).get("ref")),
        head=_text(head.get("ref")) or _branch(payload),
        draft=pull_request.get("draft") is True,
        fork=bool(pull_request) and as_object(head.get("repo")).get("id") != _repository_id(payload),
        paths=_paths(payload) if event == "push" else None,
        conclusion=_text(as_object(payload.get("check_suite")).get("conclusion")),
    )


def read_deliveries(event: str, payload: Mapping[str, Any]) -> tuple[Delivery, ...]:
    """Read what the router asks for; of a status, for each branch that has its commit as head.

    It stands for checks of one App that have ended. GitHub names ten branches at most, those too that only
    contain the commit: https://docs.github.com/en/webhooks/webhook-events-and-payloads#status.

    Raises:
        Refused: as `read_delivery`.
    """
    if event != STATUS:
        return (read_delivery(event, payload),)
    commit, actor = field(payload, "sha", str), field(payload, "sender.login", str)
    conclusion = CONCLUSIONS.get(field(payload, "state", str), "")
    heads = [
        _text(branch.get("name"))
        for branch in map(as_object, _list(payload.get("branches")))
        if as_object(branch.get("commit")).get("sha") == commit
    ]
    return tuple(
        Delivery(event=CHECK_SUITE, action="completed", actor=actor, head=head, conclusion=conclusion)
        for head in heads
        if head
    )


def is_about_branch(payload: Mapping[str, Any]) -> bool:
    """Return whether a push left a branch behind: tags are none, and a deleted branch is gone."""
    return _text(payload.get("ref")).startswith(_BRANCH) and payload.get("deleted") is not True


def _branch(payload: Mapping[str, Any]) -> str:
    checks = as_object(payload.get("check_suite")).get("head_branch")
    return _text(checks) or _text(payload.get("ref")).removeprefix(_BRANCH)


def _paths(payload: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Return the files that a push changed; None if its list of commits is not whole."""
    commits = payload.get("commits")
    if not isinstance(commits, list) or len(commits) >= _MOST_COMMITS or payload.get("forced") is True:
        return None
    paths = {
        path
        for commit in commits
        for kind in ("added", "modified", "removed")
        for path in _list(as_object(commit).get(kind))
        if isinstance(path, str)
    }
    return tuple(sorted(paths))


def _names(subject: Mapping[str, Any]) -> tuple[str, ...]:
    names = [as_object(label).get("name") for label in _list(subject.get("labels"))]
    return tuple(name for name in names if isinstance(name, str))


def _repository_id(payload: Mapping[str, Any]) -> Any:
    return as_object(payload.get("repository")).get("id")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
