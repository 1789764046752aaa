"""The pages: repositories, issues, pull requests, files, deliveries. They show everything, private too."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from github_standin import reviewing
from github_standin.checks import runs_of, suites_on
from github_standin.git.diffs import EMPTY_TREE, changed_files, patch_text
from github_standin.web.manifest_pages import ManifestPages
from github_standin.web.markdown import render

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from github_standin.github import GitHub
    from github_standin.records import Issue, Repository

_FOLDER = Path(__file__).parent
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'",
    "Referrer-Policy": "no-referrer",
}
_SHOWN = 200
_LONGEST_FILE = 512 * 1024


class NotHereError(Exception):
    """There is no such page."""


def _ago(now: float, then: float) -> str:
    seconds = max(int(now - then), 0)
    for size, name in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            number = seconds // size
            return f"{number} {name}{'s' if number > 1 else ''} ago"
    return "just now"


class Pages:
    """Renders the pages."""

    def __init__(self, github: GitHub) -> None:
        self._github = github
        self._templates = Environment(
            loader=FileSystemLoader(_FOLDER / "templates"), autoescape=True, undefined=StrictUndefined
        )
        self._templates.filters |= {
            "markdown": render,
            "ago": lambda then: _ago(github.now(), then),
            "clock": lambda then: datetime.fromtimestamp(then, tz=UTC).strftime("%H:%M:%S"),
            "login": self._login,
        }

    def _login(self, number: int) -> str:
        account = self._github.store.accounts.get(number)
        return account.login if account else "ghost"

    def routes(self) -> list[Route]:
        """Return the addresses of all pages."""
        base = "/{owner}/{repo}"
        return [
            Route("/_static/style.css", lambda _request: FileResponse(_FOLDER / "static/style.css")),
            Route("/", self._page(self._home)),
            Route("/deliveries", self._page(self._deliveries)),
            Route("/deliveries/{id:int}", self._page(self._delivery)),
            *ManifestPages(self._github, self._templates).routes(),
            Route(base, self._page(self._repository)),
            Route(f"{base}/issues", self._page(self._issues)),
            Route(f"{base}/pulls", self._page(self._pulls)),
            Route(f"{base}/commits/{{ref:path}}", self._page(self._commits)),
            Route(f"{base}/commit/{{sha}}", self._page(self._commit)),
            Route(f"{base}/tree/{{ref:path}}", self._page(self._tree)),
            Route(f"{base}/blob/{{ref:path}}", self._page(self._tree)),
            Route(f"{base}/pull/{{number:int}}.diff", self._diff),
            Route(f"{base}/issues/{{number:int}}", self._page(self._issue)),
            Route(f"{base}/pull/{{number:int}}", self._page(self._issue)),
            Route(f"{base}/pull/{{number:int}}/{{tab}}", self._page(self._issue)),
        ]

    def _page(
        self, show: Callable[[Request], tuple[str, dict[str, Any]]]
    ) -> Callable[[Request], Awaitable[Response]]:
        def render_locked(request: Request) -> Response:
            with self._github.lock:
                try:
                    name, values = show(request)
                    status = 200
                except NotHereError:
                    name, values, status = "missing.html", {}, 404
                values = {"repository": None, **values}
                html = self._templates.get_template(name).render(github=self._github, **values)
            return HTMLResponse(html, status, _HEADERS)

        async def page(request: Request) -> Response:
            return await run_in_threadpool(render_locked, request)

        return page

    # Finding

    def _found(self, request: Request) -> Repository:
        repository = self._github.repository(
            request.path_params["owner"], request.path_params["repo"].removesuffix(".git")
        )
        if repository is None:
            raise NotHereError
        return repository

    def _found_issue(self, request: Request) -> tuple[Repository, Issue]:
        repository = self._found(request)
        issue = self._github.issue(repository, request.path_params["number"])
        if issue is None or issue.deleted:
            raise NotHereError
        return repository, issue

    # Pages

    def _home(self, _request: Request) -> tuple[str, dict[str, Any]]:
        found = sorted(self._github.store.repositories, key=lambda it: it.updated_at, reverse=True)
        return "home.html", {
            "repositories": [(it, *self._counts(it)) for it in found],
            "app": self._github.app,
        }

    def _counts(self, repository: Repository) -> tuple[int, int]:
        open_ones = [it for it in self._github.issues_of(repository) if it.state == "open"]
        pulls = sum(it.pull is not None for it in open_ones)
        return len(open_ones) - pulls, pulls

    def _repository(self, request: Request) -> tuple[str, dict[str, Any]]:
        repository = self._found(request)
        git = self._github.git(repository)
        head = git.branch(repository.default_branch)
        entries = git.entries(head) if head else []
        readme = next((it for it in entries if it.path.lower() == "readme.md"), None)
        return "repository.html", {
            **self._frame(repository, "code"),
            "entries": sorted(entries, key=lambda it: (it.type != "tree", it.path)),
            "readme": git.blob(readme.sha).decode(errors="replace") if readme else None,
            "branches": {ref.removeprefix("refs/heads/"): sha for ref, sha in git.refs().items()},
            "last": git.commit(head) if head else None,
        }

    def _frame(self, repository: Repository, tab: str) -> dict[str, Any]:
        issues, pulls = self._counts(repository)
        return {"repository": repository, "tab": tab, "open_issues": issues, "open_pulls": pulls}

    def _issues(self, request: Request) -> tuple[str, dict[str, Any]]:
        repository = self._found(request)
        chosen = [it for it in self._github.issues_of(repository) if it.pull is None]
        return "issues.html", {**self._frame(repository, "issues"), "issues": chosen[::-1], "kind": "issues"}

    def _pulls(self, request: Request) -> tuple[str, dict[str, Any]]:
        repository = self._found(request)
        chosen = [it for it in self._github.issues_of(repository) if it.pull is not None]
        return "issues.html", {**self._frame(repository, "pulls"), "issues": chosen[::-1], "kind": "pull"}

    def _issue(self, request: Request) -> tuple[str, dict[str, Any]]:
        repository, issue = self._found_issue(request)
        values = {
            **self._frame(repository, "pulls" if issue.pull else "issues"),
            "issue": issue,
            "comments": self._github.comments_of(issue),
            "labels": {label.name: label.color for label in repository.labels},
            "view": request.path_params.get("tab", "conversation"),
            "commits": [],
            "files": [],
            "checks": [],
            "reviews": [],
            "threads": [],
        }
        if issue.pull is not None:
            git = self._github.git(repository)
            start, head = reviewing.span(self._github, repository, issue)
            checks = [
                run
                for suite in suites_on(self._github, repository, head)
                for run in runs_of(self._github, suite)
            ]
            found = reviewing.reviews_of(self._github, issue, None)
            values["reviews"] = [it for it in found if it.body or it.state != "COMMENTED"]
            values["threads"] = [
                (thread, reviewing.place(self._github, repository, issue, thread), comments)
                for thread, comments in reviewing.threads_of(self._github, issue)
            ]
            values |= {"commits": git.log("--reverse", f"{start}..{head}"), "checks": checks}
            values["files"] = changed_files(git, start, head)
        return "issue.html", values

    def _found_pull(self, request: Request) -> tuple[Repository, Issue]:
        repository, issue = self._found_issue(request)
        if issue.pull is None:
            raise NotHereError
        return repository, issue

    async def _diff(self, request: Request) -> Response:
        def locked() -> Response:
            with self._github.lock:
                try:
                    repository, issue = self._found_pull(request)
                except NotHereError:
                    return PlainTextResponse("Not Found\n", 404)
                start, head = reviewing.span(self._github, repository, issue)
                return PlainTextResponse(patch_text(self._github.git(repository), start, head))

        return await run_in_threadpool(locked)

    def _commits(self, request: Request) -> tuple[str, dict[str, Any]]:
        repository = self._found(request)
        git = self._github.git(repository)
        sha = git.resolve(request.path_params["ref"])
        if sha is None:
            raise NotHereError
        history = git.log(f"--max-count={_SHOWN}", sha)
        return "commits.html", {**self._frame(repository, "code"), "commits": history}

    def _commit(self, request: Request) -> tuple[str, dict[str, Any]]:
        repository = self._found(request)
        git = self._github.git(repository)
        sha = git.resolve(request.path_params["sha"])
        if sha is None:
            raise NotHereError
        commit = git.commit(sha)
        files = changed_files(git, commit.parents[0] if commit.parents else EMPTY_TREE, sha)
        return "commit.html", {**self._frame(repository, "code"), "commit": commit, "files": files}

    def _tree(self, request: Request) -> tuple[str, dict[str, Any]]:
        repository = self._found(request)
        git = self._github.git(repository)
        ref, path = self._split(request.path_params["ref"], repository)
        sha = git.resolve(ref)
        if sha is None:
            raise NotHereError
        values = {**self._frame(repository, "code"), "ref": ref, "path": path, "text": None, "entries": []}
        entry = next(iter(git.entries(sha, path)), None) if path else None
        if path and entry is None:
            raise NotHereError
        if entry is not None and entry.type == "blob":
            values["text"] = git.blob(entry.sha)[:_LONGEST_FILE].decode(errors="replace")
        else:
            found_entries = git.entries(sha, f"{path}/") if path else git.entries(sha)
            values["entries"] = sorted(found_entries, key=lambda it: (it.type != "tree", it.path))
        return "tree.html", values

    def _split(self, text: str, repository: Repository) -> tuple[str, str]:
        """Split `branch/with/slash/path/to/file`: the longest branch that it begins with wins."""
        names = [ref.removeprefix("refs/heads/") for ref in self._github.git(repository).refs()]
        for name in sorted(names, key=len, reverse=True):
            if text == name or text.startswith(f"{name}/"):
                return name, text[len(name) + 1 :].strip("/")
        ref, _, path = text.partition("/")
        return ref, path.strip("/")

    def _deliveries(self, _request: Request) -> tuple[str, dict[str, Any]]:
        found = sorted(self._github.store.deliveries, key=lambda it: it.id, reverse=True)[:_SHOWN]
        return "deliveries.html", {"deliveries": found}

    def _delivery(self, request: Request) -> tuple[str, dict[str, Any]]:
        delivery = self._github.store.deliveries.get(request.path_params["id"])
        if delivery is None:
            raise NotHereError
        return "delivery.html", {"delivery": delivery}
