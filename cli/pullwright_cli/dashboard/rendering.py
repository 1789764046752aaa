"""Makes pages of templates: whole ones, and the part of one that renews itself.

The part asks for itself again and again, by htmx. It says what it shows, so that nothing is sent, moved or
read out where nothing has changed.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse, Response

from pullwright_cli.dashboard import shown
from pullwright_cli.terminal import duration

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.requests import Request

FOLDER = Path(__file__).parent
_OF_HTMX = frozenset({"known", "said", "now"})


class View(NamedTuple):
    """What a page shows.

    Attributes:
        template: of the part that renews itself.
        said: what has changed in a sentence, for those who do not see it.
        every: seconds until it renews itself; 0 for never.
    """

    template: str
    values: Mapping[str, Any]
    said: str = ""
    every: int = 0


class Renderer:
    """Renders the templates.

    Args:
        stack: its name, on every page.
        place: where it is, such as a region.
    """

    def __init__(self, stack: str, place: str) -> None:
        self._templates = Environment(
            loader=FileSystemLoader(FOLDER / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            # Every value goes through it, so that none can be forgotten; escaping comes after it.
            finalize=lambda value: value if isinstance(value, Markup) else shown.visible(value),
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals |= {"stack": stack, "place": place}
        self._templates.filters |= {
            "clock": shown.clock,
            "duration": duration,
            "link": shown.link,
            "money": shown.money,
            "size": shown.size,
        }
        self._templates.globals["took"] = shown.took

    def respond(
        self,
        request: Request,
        title: str,
        look: Callable[[], View],
        *,
        frame: str = "page.html",
        is_slow: bool = False,
        **values: Any,
    ) -> Response:
        """Return a page, or the part of it that htmx asks for.

        Args:
            look: reads from AWS what the page shows; called when the page or its part is asked for.
            frame: template of what stands around the part that renews itself.
            is_slow: show the frame at once, and let htmx ask for the rest.
            values: for the frame's template.
        """
        query = request.query_params
        is_part = is_fragment(request)
        if is_slow and not is_part and "now" not in query:
            view = View("waiting.html", {"address": _address(request, now="1")}, every=0)
            live = self._live(request, view, is_first=True)
        else:
            view = look()
            live = self._live(request, view)
        if not is_part:
            values |= {"title": title, "live": Markup(live), "said": view.said}  # noqa: S704 - a template's
            return HTMLResponse(self._render(frame, **values))
        return HTMLResponse(live) if live else Response(status_code=204)

    def problem(self, request: Request, sentence: str, remedy: str, status: int) -> Response:
        """Return a page that says what is wrong and what to do; as a part, it goes on asking."""
        view = View("problem.html", {"sentence": sentence, "remedy": remedy}, sentence, every=10)
        if is_fragment(request):
            # htmx puts nothing in place of a part if the status says that it failed.
            return HTMLResponse(self._live(request, view))
        live = Markup(self._live(request, view._replace(every=0)))  # noqa: S704 - as above
        return HTMLResponse(self._render("page.html", title="Not shown", live=live, said="", here=""), status)

    def _live(self, request: Request, view: View, *, is_first: bool = False) -> str:
        """Return the part that renews itself; nothing if the page shows it already."""
        query = request.query_params
        content = self._render(view.template, **view.values)
        known = hashlib.sha256(content.encode()).hexdigest()[:16]
        if is_fragment(request) and query.get("known") == known:
            return ""
        trigger = "load" if is_first else f"every {view.every}s" if view.every else ""
        return self._render(
            "live.html",
            content=Markup(content),  # noqa: S704 - a template's, which has escaped its values
            address=_address(request),
            trigger=trigger,
            known=known,
            said=view.said,
            is_news=is_fragment(request) and query.get("said") != view.said,
        )

    def _render(self, template: str, **values: Any) -> str:
        return self._templates.get_template(template).render(**values)


def is_fragment(request: Request) -> bool:
    """Return whether htmx asks, for a part of a page."""
    return request.headers.get("hx-request") == "true"


def _address(request: Request, **more: str) -> str:
    pairs = [(name, value) for name, value in request.query_params.multi_items() if name not in _OF_HTMX]
    query = urlencode([*pairs, *more.items()])
    return f"{request.url.path}?{query}" if query else request.url.path
