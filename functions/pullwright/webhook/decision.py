"""What to do with a delivery: a pure function of headers, bytes and secret."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from pullwright.apps import is_app, is_listed
from pullwright.json_object import as_object
from pullwright.owners import is_allowed
from pullwright.webhook.answers import IGNORED, PONG, Answer, Refused, answer
from pullwright.webhook.delivery import is_about_branch, read_deliveries
from pullwright.webhook.message import Message
from pullwright.webhook.payload import field, parse
from pullwright.webhook.signature import check_signature
from pullwright.webhook.start import Start, start_for
from pullwright.workers.builtin import builtin_workers
from pullwright.workers.events import CHECK_SUITE, EVENTS, LABELED, STATUS, UNLABELED
from pullwright.workers.routing import Routing, Worker, route, starting_labels

if TYPE_CHECKING:
    from pullwright.webhook.settings import PreviewLabels

_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
HEARD: dict[str, tuple[str, ...]] = {
    "installation": ("created", "deleted", "new_permissions_accepted", "suspend", "unsuspend"),
    "installation_repositories": ("added", "removed"),
    "repository": ("deleted", "edited", "renamed", "transferred"),
    **{event: known.actions for event, known in EVENTS.items()},
    STATUS: (),
    "issues": (*EVENTS["issues"].actions, UNLABELED, "deleted", "transferred"),
    "pull_request": (*EVENTS["pull_request"].actions, UNLABELED, "closed"),
}
"""What is acted upon: events with their actions; without any, the event has none."""
HINT = "hint"
"""The value of the parameter `OnNoMatch` with which people are told why a label started nothing."""
_MOST_REASONS = 5
_EVENT = re.compile(r"[a-z0-9_-]{1,64}")


class Starts(NamedTuple):
    """What a delivery starts: one execution for each worker that matches.

    Attributes:
        reasons: by worker, why the others do not start.
        besides: the message to queue too: a push may have changed the workers, a review may release CI or ask
            for more.
    """

    starts: tuple[Start, ...]
    reasons: Mapping[str, str]
    besides: Message | None = None


Decision = Starts | Message | Answer


def decide(
    headers: Mapping[str, str],
    body: bytes,
    secret: bytes,
    *,
    trigger_label: str,
    mention_name: str = "",
    allowed_apps: str = "",
    allowed_owners: str = "",
    on_no_match: str = "",
    preview_labels: "PreviewLabels | None" = None,
    workers_of: Callable[[str], Sequence[Worker]] | None = None,
) -> Decision:
    """Decide what a delivery asks for.

    Args:
        headers: by lower-case name.
        trigger_label: the label that starts a session; GitHub's labels do not differ by case alone.
        mention_name: what a comment mentions to ask for a session, without the `@`; empty if none does.
        allowed_apps: slugs of Apps whose labels count too, separated by commas.
        allowed_owners: whose repositories count; empty leaves that to OpenPullRequest, which knows the App's
            owner.
        on_no_match: `hint` tells people why a label that workers know started none of them.
        preview_labels: those that start previews; None where none are set up.
        workers_of: gives a repository's workers; the built-in ones without it.

    Returns:
        The executions to start, the message that ends sessions, releases CI, carries a command, explains a
        label or has workers read, or the answer to a delivery that does nothing of this.

    Raises:
        Refused: not signed, or not what GitHub sends.
        ValueError: the secret is empty.
    """
    check_signature(headers, body, secret)
    payload = parse(body)
    event = headers.get("x-github-event", "")
    if not _EVENT.fullmatch(event):
        raise Refused(400, "The header X-GitHub-Event is missing or malformed.", field="x-github-event")
    guid = delivery_id(headers)
    if not guid:
        raise Refused(400, "The header X-GitHub-Delivery is not a GUID.", field="x-github-delivery")
    if event == "ping":
        return answer(PONG, "The webhook reaches Pullwright.")
    if not _may_matter(event, payload):
        return answer(IGNORED, f"The event {event} starts no session with this action.")
    if _is_of_another_owner(payload, allowed_owners):
        return answer(IGNORED, "This Pullwright does not work for the repository's owner.")
    first, own, besides = _requests(event, payload, guid, mention_name)
    if first is not None:
        return first
    reason = next(_obstacles(event, payload, allowed_apps), "")
    if reason:
        return besides or answer(IGNORED, reason)
    repository = field(payload, "repository.full_name", str)
    workers = builtin_workers(trigger_label) if workers_of is None else workers_of(repository)
    previews = frozenset() if preview_labels is None else preview_labels.folded()
    decision = _routed(event, payload, guid, workers, hints=on_no_match == HINT, previews=previews)
    preview = None
    if preview_labels is not None and event == "pull_request":
        from pullwright.webhook.previews import preview_for  # noqa: PLC0415 - as in _requests

        preview = preview_for(payload, guid, preview_labels)
        if preview is not None and isinstance(decision, Message) and payload.get("action") == UNLABELED:
            # One of two labels was taken off: what it started ends, and the other one starts.
            besides = besides or decision
    return _together([start for start in (own, preview) if start is not None], decision, besides)


def _requests(
    event: str, payload: Mapping[str, Any], guid: str, mention_name: str
) -> tuple[Message | None, Start | None, Message | None]:
    """Return what is done instead of starting workers, what is started with them, and what besides."""
    if payload.get("action") == LABELED:
        return None, None, None
    from pullwright.webhook.requests import read_requests  # noqa: PLC0415 - its docstring says why

    return read_requests(event, payload, guid, mention_name)


def _together(own: Sequence[Start], decision: Decision, besides: Message | None) -> Decision:
    """Return what an event starts and does besides, whether or not workers match.

    Args:
        own: what a mention or a preview's label asks for; a worker of the same name is started by it.
    """
    names = {start.name for start in own}
    matched = decision.starts if isinstance(decision, Starts) else ()
    starts = (*own, *(start for start in matched if start.name not in names))
    if starts:
        return Starts(starts, decision.reasons if isinstance(decision, Starts) else {}, besides)
    return decision if besides is None else besides


def _routed(
    event: str,
    payload: Mapping[str, Any],
    guid: str,
    workers: Sequence[Worker],
    *,
    hints: bool,
    previews: frozenset[str],
) -> Decision:
    """Return the executions for the workers that an event starts, or what is said if it starts none."""
    if payload.get("action") == UNLABELED:
        from pullwright.webhook.withdrawal import label_removed  # noqa: PLC0415 - as in _requests

        removed = label_removed(event, payload, starting_labels(workers) | previews)
        return removed or answer(IGNORED, "The label starts no worker.")
    deliveries = read_deliveries(event, payload)
    if event in {CHECK_SUITE, STATUS}:
        from pullwright.webhook.checks import checks_of  # noqa: PLC0415 - as in _requests

        for checked in deliveries:
            if (checks := checks_of(payload, guid, checked, workers)) is not None:
                return checks
        if not deliveries:
            return answer(IGNORED, "The status is of a commit that is no branch's head.")
    delivery = deliveries[0]
    routing = route(delivery, workers)
    if routing.matches:
        return Starts(
            tuple(start_for(match, event, payload, guid) for match in routing.matches), routing.reasons
        )
    reason = _told(routing)
    if hints and delivery.label.casefold() in starting_labels(workers):
        from pullwright.webhook.hints import hint_for  # noqa: PLC0415 - as in _requests

        return hint_for(event, payload, routing.reasons)
    return answer(IGNORED, reason, unmatched=routing.reasons)


def _may_matter(event: str, payload: Mapping[str, Any]) -> bool:
    """Return whether we act upon an event with this action.

    GitHub tells an App of what it did itself too, and can leave out events only, not actions: each edit of a
    tracking comment comes back as `issue_comment.edited`, and goes no further than here.
    """
    action = payload.get("action")
    if event not in HEARD or not HEARD[event]:
        return event in HEARD and action is None
    return not isinstance(action, str) or action in HEARD[event]


def delivery_id(headers: Mapping[str, str]) -> str:
    """Read the delivery's GUID, empty when there is no well-formed one.

    https://docs.github.com/en/webhooks/webhook-events-and-payloads#delivery-headers
    """
    guid = headers.get("x-github-delivery", "").strip().lower()
    return guid if _GUID.fullmatch(guid) else ""


def _obstacles(event: str, payload: Mapping[str, Any], allowed_apps: str) -> Iterator[str]:
    """Yield why an event starts and stops nothing, whatever the workers are; nothing if it may."""
    if event == STATUS:
        # Whoever set it is no person who asks for anything, as with checks.
        return
    if event not in EVENTS:
        yield f"The event {event} starts no session."
    if payload.get("action") == UNLABELED:
        # Whoever takes a label off stops what it started.
        return
    if event == CHECK_SUITE:
        if not as_object(payload.get(CHECK_SUITE)).get("pull_requests"):
            yield "The checks are of no pull request in this repository."
        # The sender is whoever pushed, and the session counts for whoever asked first.
        return
    login = field(payload, "sender.login", str)
    is_bot = field(payload, "sender.type", str) == "Bot"
    if is_bot and not is_listed(login, allowed_apps):
        yield "The event was caused by an App that may not start sessions."
    if not is_bot and is_app(login):
        # A server of one's own may have a person of that name.
        yield "The event was caused by a person with an App's name."
    if event == "issues" and as_object(payload.get("issue")).get("pull_request") is not None:
        yield "The event is about a pull request, which has events of its own."
    if event == "push" and not is_about_branch(payload):
        yield "Nothing was pushed to a branch."


def _told(routing: Routing) -> str:
    """Return why no worker starts, for whoever reads the delivery on GitHub."""
    reasons = [f"{worker} {reason}" for worker, reason in routing.reasons.items()]
    more = len(reasons) - _MOST_REASONS
    text = "; ".join(reasons[:_MOST_REASONS]) + (f"; and {more} more" if more > 0 else "")
    return f"No worker starts: {text}."


def _is_of_another_owner(payload: Mapping[str, Any], allowed_owners: str) -> bool:
    name = as_object(payload.get("repository")).get("full_name")
    return bool(allowed_owners) and isinstance(name, str) and not is_allowed(name, allowed_owners)
