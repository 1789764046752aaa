"""The two pages on which somebody makes an App from a manifest; who looks at them is signed in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal
from urllib.parse import parse_qs, urlencode, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from github_standin.manifests import Manifest, ManifestError, described, register

if TYPE_CHECKING:
    from jinja2 import Environment
    from starlette.requests import Request

    from github_standin.github import GitHub

OWNER = "app-owner"
"""The account whose Apps `/settings/apps` shows."""
_LONGEST = 64 * 1024


class ManifestPages:
    """Takes a manifest by form, asks for the App's name, and sends the browser back with a code."""

    def __init__(self, github: GitHub, templates: Environment) -> None:
        self._github = github
        self._templates = templates

    def routes(self) -> list[Route]:
        """Return the addresses, of a person's Apps and of an organization's."""
        return [
            Route(f"{prefix}/settings/apps/{page}", handle, methods=["POST"])
            for prefix in ("", "/organizations/{organization}")
            for page, handle in (("new", self._new), ("manifest", self._create))
        ]

    async def _new(self, request: Request) -> Response:
        return await self._answered(request, create=False)

    async def _create(self, request: Request) -> Response:
        return await self._answered(request, create=True)

    async def _answered(self, request: Request, *, create: bool) -> Response:
        content = (await request.body())[:_LONGEST]
        # What a form field holds once; a repeated one is no form of a browser's.
        form = {name: values[-1] for name, values in parse_qs(content.decode(errors="replace")).items()}
        state = request.query_params.get("state", "")

        def locked() -> Response:
            with self._github.lock:
                return self._respond(request, form, state, create=create)

        return await run_in_threadpool(locked)

    def _respond(self, request: Request, form: dict[str, str], state: str, *, create: bool) -> Response:
        organization: str | None = request.path_params.get("organization")
        kind: Literal["User", "Organization"] = "User" if organization is None else "Organization"
        prefix = "" if organization is None else f"/organizations/{organization}"
        target = f"{prefix}/settings/apps/manifest" + (f"?{urlencode({'state': state})}" if state else "")
        try:
            manifest = Manifest.read(form.get("manifest", ""))
        except ManifestError as error:
            return self._page("", 422, error=str(error), manifest=None, name="", target=target)
        back = str(manifest.redirect_url)
        values = {**described(manifest), "target": target, "name": form.get("name", manifest.name)}
        if not create:
            return self._page(back, 200, error="", **values)
        try:
            code = register(self._github, manifest, values["name"], organization or OWNER, kind)
        except ManifestError as error:
            return self._page(back, 422, error=str(error), **values)
        query = urlencode({"code": code, **({"state": state} if state else {})})
        return RedirectResponse(f"{back}{'&' if urlsplit(back).query else '?'}{query}", 302)

    def _page(self, back: str, status: int, **values: str | None) -> Response:
        html = self._templates.get_template("manifest.html").render(
            github=self._github, repository=None, **values
        )
        split = urlsplit(back)
        # Browsers hold the redirect after a form to the same list.
        allowed = f"'self' {split.scheme}://{split.netloc}" if back else "'none'"
        policy = f"default-src 'none'; style-src 'self'; base-uri 'none'; form-action {allowed}"
        return HTMLResponse(
            html, status, {"Content-Security-Policy": policy, "Referrer-Policy": "no-referrer"}
        )
