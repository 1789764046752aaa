"""The pages of all sessions: the list, what they cost, and which webhooks came."""

from __future__ import annotations

from collections import Counter
from datetime import UTC
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from pullwright_cli.accounting import summed
from pullwright_cli.dashboard import charts
from pullwright_cli.dashboard.ledger import Ledger
from pullwright_cli.dashboard.paging import page
from pullwright_cli.dashboard.rendering import Renderer, View
from pullwright_cli.deliveries import deliveries
from pullwright_cli.errors import CliError
from pullwright_cli.listing import STATUSES, Filter
from pullwright_cli.moments import since
from pullwright_cli.options import REPOSITORY

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from pullwright_cli.session import Deployed

PAGE = 50
DAYS = (7, 30, 90)
TIMES = {"1h": "the last hour", "6h": "the last 6 hours", "24h": "the last 24 hours"}
_MOST_EVENTS = 300
_GROUPS = ("repository", "worker", "person", "model")


class Lists:
    """Answers requests for them."""

    def __init__(self, stack: Deployed, renderer: Renderer) -> None:
        self._stack = stack
        self._renderer = renderer
        self._ledger = Ledger(stack)

    def sessions(self, request: Request) -> Response:
        """Show sessions, the first page of them live."""
        query = {
            name: request.query_params.get(name, "").strip() for name in ("repo", "status", "worker", "since")
        }
        after = request.query_params.get("after", "")

        def look() -> View:
            found = page(self._stack, _filter(query), after)
            following = urlencode({**_known(query), "after": found.cursor}) if found.cursor else ""
            values = {
                "rows": found.rows,
                "read": found.read,
                "following": following,
                "first": urlencode(_known(query)) if after else None,
                "is_filtered": bool(_known(query)),
            }
            return View("sessions.html", values, _count(found.rows), every=0 if after else 5)

        return self._renderer.respond(
            request, "Sessions", look, frame="filters.html", here="sessions", query=query, statuses=STATUSES
        )

    def costs(self, request: Request) -> Response:
        """Show what the sessions of some days cost."""
        days = _chosen(request, "days", tuple(map(str, DAYS)), "30")

        def look() -> View:
            account = self._ledger.account(int(days))
            by_day = summed(account.rows, "day")
            values = {
                "chart": charts.by_day(by_day["groups"], int(days), account.read_at.astimezone(UTC).date()),
                "total": by_day["total"],
                "groups": [(by, charts.shares(summed(account.rows, by)["groups"][:20])) for by in _GROUPS],
                "read_at": account.read_at.isoformat(),
                "days": int(days),
            }
            return View("costs.html", values)

        return self._renderer.respond(
            request, "Costs", look, frame="choices.html", is_slow=True, here="costs", name="days",
            chosen=days, choices=[(str(number), f"{number} days") for number in DAYS],
        )  # fmt: skip

    def events(self, request: Request) -> Response:
        """Show deliveries of webhooks, the newest first."""
        time = _chosen(request, "since", tuple(TIMES), "1h")

        def look() -> View:
            found = deliveries(self._stack, "", since(time), only_unmatched=False)[::-1]
            values = {"events": found[:_MOST_EVENTS], "left_out": len(found[_MOST_EVENTS:])}
            return View("events.html", values, f"{len(found)} deliveries")

        return self._renderer.respond(
            request, "Webhooks", look, frame="choices.html", is_slow=True, here="events", name="since",
            chosen=time, choices=list(TIMES.items()),
        )  # fmt: skip


def _filter(query: dict[str, str]) -> Filter:
    """Return which sessions a form asks for.

    Raises:
        CliError: a field holds what it cannot mean.
    """
    if query["repo"] and not REPOSITORY.fullmatch(query["repo"]):
        raise CliError(f"Repository: {query['repo']} is none: write it as OWNER/NAME", 2)
    if query["status"] and query["status"] not in STATUSES:
        raise CliError(f"Status: {query['status']} is none of {', '.join(STATUSES)}", 2)
    return Filter(query["repo"], query["status"], query["worker"], since(query["since"]), PAGE)


def _chosen(request: Request, name: str, choices: tuple[str, ...], usual: str) -> str:
    value = request.query_params.get(name, usual)
    if value not in choices:
        raise CliError(f"{name}: {value} is none of {', '.join(choices)}", 2)
    return value


def _known(query: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in query.items() if value}


def _count(rows: list[dict[str, Any]]) -> str:
    """Return how many sessions of each status a list has, in words."""
    counts = Counter(str(row["status"]).lower() for row in rows)
    return ", ".join(f"{number} {status}" for status, number in sorted(counts.items())) or "no sessions"
