"""Smart HTTP: what git clients talk to. Git does the work; this decides who may.

See https://git-scm.com/docs/git-http-backend. Bodies are streamed both ways; gzip, chunked bodies,
protocol 2 and partial clones are git's own business.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from github_standin import forks, pushes
from github_standin.actors import ANONYMOUS, Actor
from github_standin.answers import ApiError
from github_standin.auth import authenticate, may_see, role_of
from github_standin.git import signing
from github_standin.permissions import READ_CONTENTS, ROLES, WRITE_CONTENTS, grants

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

    from github_standin.github import GitHub
    from github_standin.records import Account, Repository

_CHUNK = 64 * 1024
_SERVICES = ("git-upload-pack", "git-receive-pack")


@dataclass(frozen=True)
class Grant:
    """A git request that may go on.

    Attributes:
        path: the repository on disk, below the root.
        log: where the hook writes what a push has changed, for a push.
    """

    repository: Repository
    actor: Actor
    path: str
    environment: dict[str, str]
    log: Path | None


class RefusedError(Exception):
    """A git request that goes no further.

    Args:
        text: git shows it as `remote: …`.
    """

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text

    def response(self) -> Response:
        """Return the answer."""
        headers = {"WWW-Authenticate": 'Basic realm="GitHub"'} if self.status == 401 else {}  # noqa: PLR2004 - Unauthorized
        return PlainTextResponse(f"{self.text}\n", self.status, headers)


class Stream(Response):
    """An answer that is sent as it comes.

    Unlike Starlette's, it does not listen for a disconnect meanwhile: that would take away parts of the
    request's body, which is still being read.
    """

    def __init__(self, parts: AsyncIterator[bytes], status_code: int, headers: dict[str, str]) -> None:
        self._parts = parts
        self.status_code = status_code
        self.background = None
        self.raw_headers = [(name.lower().encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Send it."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async for part in self._parts:
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


def admit(github: GitHub, owner: str, name: str, authorization: str | None, *, push: bool) -> Grant:
    """Decide whether the actor may fetch from or push to a repository; the caller holds the lock.

    Args:
        name: from the path, without `.git`.

    Raises:
        RefusedError: they may not.
    """
    try:
        actor = authenticate(github, authorization)
    except ApiError:
        raise RefusedError(
            401, "Invalid username or token. Password authentication is not supported for Git operations."
        ) from None
    try:
        github.lag.check(actor)
    except ApiError as error:
        text = "Repository not found." if error.status == 404 else error.message  # noqa: PLR2004 - Not Found
        raise RefusedError(error.status, text) from None
    if actor.kind == "app":
        raise RefusedError(401, "Invalid username or token.")
    found = github.repository(owner, name)
    if actor is ANONYMOUS and (push or found is None or found.private):
        raise RefusedError(401, "No anonymous write access." if push else "Repository not found.")
    if found is None or not may_see(actor, found):
        raise RefusedError(404, "Repository not found.")
    open_branches = None if _may(actor, found, push=push) else _open_branches(github, actor, found)
    if open_branches == [] or (open_branches and not push):
        who = actor.account.login if actor.account else "anonymous"
        action = f"Permission to {found.full_name}.git denied to {who}."
        raise RefusedError(403, action if push else "Write access to repository not granted.")
    if push and found.archived:
        raise RefusedError(403, "This repository was archived so it is read-only.")
    log = github.git_store.pushes / uuid.uuid4().hex if push else None
    environment = dict(github.git_store.environment)
    rules = {
        "protected": pushes.protected_for(found, actor),
        "only": open_branches,
        "workflows": actor.kind != "installation" or grants(actor.permissions, "workflows", "write"),
        "log": str(log),
        "rulesets": pushes.rulesets_for(found, actor),
        "passed": pushes.passed_checks(github, found),
        "default_branch": found.default_branch,
        "page": github.links.page(found),
        "signing": signing.__file__,
        "data": str(github.git_store.folder),
    }
    environment["STANDIN_PUSH"] = json.dumps(rules)
    return Grant(found, actor, f"/{found.full_name}.git", environment, log)


def _open_branches(github: GitHub, actor: Actor, found: Repository) -> list[str]:
    """Return the branches of a fork that a person may push to although it is somebody else's."""
    if actor.kind != "user" or actor.account is None:
        return []
    return forks.open_branches(github, found, actor.account)


def _may(actor: Actor, found: Repository, *, push: bool) -> bool:
    rule = WRITE_CONTENTS if push else READ_CONTENTS
    if not push and not found.private:
        return True
    if actor.kind == "installation":
        return actor.reaches(found) and grants(actor.permissions, rule.permission, rule.access)
    return actor.account is not None and ROLES[role_of(found, actor.account)] >= ROLES[rule.role]


class GitHttp:
    """Serves all repositories."""

    def __init__(self, github: GitHub) -> None:
        self._github = github
        command = ["git", "--exec-path"]
        core = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
        self._backend = str(Path(core) / "git-http-backend")

    def routes(self) -> list[Route]:
        """Return the addresses that git clients use, with `.git` or without."""
        posts = [Route(f"/{{owner}}/{{repo}}/{name}", self.serve, methods=["POST"]) for name in _SERVICES]
        return [Route("/{owner}/{repo}/info/refs", self.serve, methods=["GET"]), *posts]

    async def serve(self, request: Request) -> Response:
        """Answer one git request."""
        name = request.path_params["repo"].removesuffix(".git")
        service = str(request.scope["path"]).split("/", 3)[3]
        asked = service if service in _SERVICES else request.query_params.get("service")
        if asked not in _SERVICES:
            return PlainTextResponse("Please upgrade your git client.\n", 403)
        if (moved := self._moved(request, name, service)) is not None:
            return moved
        push = asked == "git-receive-pack"
        try:
            grant = await run_in_threadpool(self._admit, request, name, push=push)
        except RefusedError as refused:
            return refused.response()
        environment = {
            **grant.environment,
            "GIT_PROJECT_ROOT": str(self._github.git_store.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": f"{grant.path}/{service}",
            "QUERY_STRING": request.url.query,
            "REQUEST_METHOD": request.method,
            "CONTENT_TYPE": request.headers.get("content-type", ""),
            "HTTP_CONTENT_ENCODING": request.headers.get("content-encoding", ""),
            "GIT_PROTOCOL": request.headers.get("git-protocol", ""),
            "REMOTE_ADDR": "127.0.0.1",
        }
        if grant.actor.account is not None:
            environment["REMOTE_USER"] = grant.actor.account.login
        if "content-length" in request.headers:
            environment["CONTENT_LENGTH"] = request.headers["content-length"]
        return await self._run(request, environment, grant)

    def _moved(self, request: Request, name: str, service: str) -> Response | None:
        """Give where a repository with this name before is now; git follows on its first request only."""
        with self._github.lock:
            found = self._github.renamed(request.path_params["owner"], name)
        if found is None or found.private:
            return None
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"/{found.full_name}.git/{service}{query}", 301)

    def _admit(self, request: Request, name: str, *, push: bool) -> Grant:
        with self._github.lock:
            authorization = request.headers.get("authorization")
            return admit(self._github, request.path_params["owner"], name, authorization, push=push)

    async def _run(self, request: Request, environment: dict[str, str], grant: Grant) -> Response:
        process = await asyncio.create_subprocess_exec(
            self._backend,
            env=environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        feeding = asyncio.create_task(_feed(request, process))
        status, headers = await _head(process)
        if grant.log is None or request.method != "POST":
            return Stream(_stream(process, feeding), status, headers)
        # A push is answered when everything that follows from it is in place.
        parts = [part async for part in _stream(process, feeding)]
        await run_in_threadpool(self._after_push, grant)
        return Response(b"".join(parts), status, headers)

    def _after_push(self, grant: Grant) -> None:
        if grant.log is None:
            return
        updates = []
        if grant.log.exists():
            for line in grant.log.read_text().splitlines():
                before, after, ref = line.split(" ", 2)
                updates.append(pushes.Update(ref, before, after))
            grant.log.unlink()
        sender: Account | None = grant.actor.account
        with self._github.lock:
            if updates and sender is not None:
                pushes.apply(self._github, grant.repository, sender, updates)


async def _feed(request: Request, process: asyncio.subprocess.Process) -> None:
    """Pass the request's body on as it comes."""
    if process.stdin is None:
        raise RuntimeError("git was started without a pipe")
    try:
        # git may stop listening before the end, when it refuses.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            async for chunk in request.stream():
                process.stdin.write(chunk)
                await process.stdin.drain()
    except ClientDisconnect:
        # git-http-backend reads on for ever when a push ends before its length: a whole processor for each
        # runner that was killed meanwhile.
        if process.returncode is None:
            process.kill()
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        process.stdin.close()


async def _head(process: asyncio.subprocess.Process) -> tuple[int, dict[str, str]]:
    """Read the CGI headers."""
    if process.stdout is None:
        raise RuntimeError("git was started without a pipe")
    status, headers = 200, {}
    while line := (await process.stdout.readline()).decode().strip():
        name, _, value = line.partition(":")
        if name.lower() == "status":
            status = int(value.split()[0])
        else:
            headers[name] = value.strip()
    return (status, headers) if headers or status != 200 else (500, {})  # noqa: PLR2004 - nothing came: git failed


async def _stream(process: asyncio.subprocess.Process, feeding: asyncio.Task[None]) -> AsyncIterator[bytes]:
    """Yield git's answer; end git when the client disconnects."""
    if process.stdout is None:
        raise RuntimeError("git was started without a pipe")
    try:
        while chunk := await process.stdout.read(_CHUNK):
            yield chunk
        await process.wait()
    finally:
        feeding.cancel()
        if process.returncode is None:
            process.kill()
            await process.wait()
