"""Who may read the pages: a browser on this machine that has the token; and the strict headers.

Other programs' pages in the same browser can send requests here: by a name of theirs that leads to 127.0.0.1
(https://en.wikipedia.org/wiki/DNS_rebinding), so that the Host header is held against ours, and from other
ports of this machine, which browsers count as the same site.
"""

from __future__ import annotations

import hmac
import secrets
from typing import TYPE_CHECKING

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
STATIC = "/static/"
_STRANGER = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>Pullwright</title>'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    '<link rel="stylesheet" href="/static/style.css"><main><h1>This browser has no access</h1>'
    "<p>Open the address that <code>pullwright dashboard</code> printed when it began, with its token.</p>"
    '<p><a href="/">Try again</a></p></main></html>'
)


class Guard:
    """Lets requests through that come from a browser with access.

    Args:
        port: on which this machine's browsers find the pages.
        token: gives access to whoever opens an address with it.
    """

    def __init__(self, app: ASGIApp, port: int, token: str) -> None:
        self._app = app
        self._hosts = [[f"{name}:{port}"] for name in ("127.0.0.1", "localhost")]
        self._token = token
        # Cookies are the same for all ports of a machine, and other programs there may read them.
        self._name = f"pullwright-{port}"
        self._access = secrets.token_urlsafe(32)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it on."""
        if scope["type"] != "http":
            return

        async def strictly(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await (self._refusal(Request(scope)) or self._app)(scope, receive, strictly)

    def _refusal(self, request: Request) -> Response | None:
        """Return the answer to a request that is not handed on."""
        if request.headers.getlist("host") not in self._hosts:
            return PlainTextResponse("The dashboard is at 127.0.0.1 only.\n", 421)
        if request.method not in {"GET", "HEAD"}:
            return PlainTextResponse("The dashboard changes nothing.\n", 405, {"Allow": "GET, HEAD"})
        # Old browsers send none: https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Sec-Fetch-Site
        site = request.headers.get("sec-fetch-site", "none")
        if site not in {"same-origin", "none"} and request.headers.get("sec-fetch-mode") != "navigate":
            return PlainTextResponse("Only pages of the dashboard may ask for this.\n", 403)
        if request.url.path.startswith(STATIC):
            return None
        if "token" in request.query_params:
            return self._welcome(request.query_params["token"])
        cookie = request.cookies.get(self._name, "")
        return None if _same(cookie, self._access) else HTMLResponse(_STRANGER, 401)

    def _welcome(self, token: str) -> Response:
        """Return the way to the first page, without the token in the address."""
        if not _same(token, self._token):
            return HTMLResponse(_STRANGER, 403)
        response = RedirectResponse("/", 303)
        response.set_cookie(self._name, self._access, path="/", httponly=True, samesite="strict")
        return response


def _same(text: str, expected: str) -> bool:
    return hmac.compare_digest(text.encode(), expected.encode())
