"""The events of GitHub that workers can start on, with the actions that count.

https://docs.github.com/en/webhooks/webhook-events-and-payloads
"""

from typing import NamedTuple


class Event(NamedTuple):
    """What may be filtered by.

    Attributes:
        actions: those that a worker may name; empty where the event has none.
        default: those that count where a worker names none.
        filters: fields of a worker's trigger that say something about the event.
    """

    actions: tuple[str, ...]
    default: tuple[str, ...]
    filters: frozenset[str]


LABELED = "labeled"
UNLABELED = "unlabeled"
CHECK_SUITE = "check_suite"
FAILED_CONCLUSIONS = ("failure", "timed_out")
PASSED_CONCLUSION = "success"
"""Of checks, https://docs.github.com/en/rest/checks/suites; `action_required` waits for people."""
STATUS = "status"
"""The older form of checks, which starts what checks start."""
CONCLUSIONS = {"failure": "failure", "error": "failure", "success": PASSED_CONCLUSION}
"""What a status' state means among checks: https://docs.github.com/en/rest/commits/statuses."""
_ALWAYS = frozenset({"actions", "actors", "teams"})
_PULL_REQUEST = _ALWAYS | {"labels", "base", "head", "paths", "draft", "fork"}

EVENTS = {
    "issues": Event(("opened", "reopened", "edited", "assigned", LABELED), ("opened",), _ALWAYS | {"labels"}),
    "issue_comment": Event(("created",), ("created",), _ALWAYS | {"labels", "comment"}),
    "pull_request": Event(
        ("opened", "reopened", "ready_for_review", "synchronize", LABELED),
        ("opened", "reopened", "ready_for_review", "synchronize"),
        _PULL_REQUEST,
    ),
    "pull_request_review": Event(("submitted",), ("submitted",), _PULL_REQUEST | {"comment"}),
    "pull_request_review_comment": Event(("created",), ("created",), _PULL_REQUEST | {"comment"}),
    # Whoever pushed is the sender, on our own pushes our App: who asked first counts.
    CHECK_SUITE: Event(("completed",), ("completed",), frozenset({"actions", "head"})),
    "push": Event((), (), _ALWAYS | {"head", "paths"}),
}
