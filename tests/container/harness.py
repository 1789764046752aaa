"""Everything around the runner, in one process: ECS's endpoints, broker, S3, DynamoDB, GitHub and its git.

The runner itself is a real process with a real git; only what it talks to is faked here.
"""

from __future__ import annotations

import atexit
import itertools
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pullwright.models import AgentRequest
from pullwright.results import AgentResult
from tests.container.cli import find_cli
from tests.container.endpoints import SESSION, TOKEN, Endpoints
from tests.container.loaded_runner import ForkedRunner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
IDENTITY = ("-c", "user.name=Maintainer", "-c", "user.email=maintainer@example.invalid")
FILES = {"README.md": "# A project\n", "src/app.py": "print('helo')\n", ".gitignore": "*.log\n"}

Runner = ForkedRunner | subprocess.Popen[str]

# Processes of other tests have ranges of their own, wide enough for all their harnesses.
_UIDS = itertools.count(100_000_000 + os.getpid() % 20_000 * 10_000, 3)


@dataclass
class Grant:
    """Credentials that the broker gave.

    Attributes:
        ends: when both expire.
        revoked: the token is refused though it has not expired.
    """

    token: str
    access_key_id: str
    ends: datetime
    revoked: bool = False


@dataclass
class Harness:
    """A real runner and fakes of all that it talks to.

    Attributes:
        folder: for repositories and work; other users may enter it.
        comments: every text that the tracking comment was given.
        broker_answers: answers to give before the good one: statuses.
        git_answers: cleared, it lets git's POSTs wait; the file `cloning` tells of one.
        git_data_calls: what was asked of GitHub's git database, as method and path.
        git_data_answers: what it answers next, by method: status, message, whether the work is done.
        before_git_data: what happens, once, before it answers a method.
        moved: by how much the clock of everybody is moved.
        agent_uid: of the agent; that of checks is one more, that of a preview's browser two. What they leave
            is removed everywhere, so no two harnesses share them.
        plan: of the preview that the broker knows, in place of a session.
        first_call: when something was asked for the first time, in seconds since 1970.
        afresh: runners are programs started anew, as a task starts them: what they load and what of them
            stands in `/proc` matters.
    """

    folder: Path
    afresh: bool = False
    record: dict[str, str] = field(default_factory=lambda: {"status": "RUNNING"})
    objects: dict[str, bytes] = field(default_factory=dict)
    comments: list[str] = field(default_factory=list)
    broker_answers: list[int] = field(default_factory=list)
    grants: list[Grant] = field(default_factory=list)
    git_answers: threading.Event = field(default_factory=threading.Event)
    git_data_calls: list[str] = field(default_factory=list)
    git_data_answers: dict[str, list[tuple[int, str, bool]]] = field(default_factory=dict)
    before_git_data: dict[str, Callable[[], object]] = field(default_factory=dict)
    moved: timedelta = timedelta()
    comment_status: int = 200
    model_calls: list[str] = field(default_factory=list)
    credentials_path: str = field(default_factory=lambda: f"/credentials/{secrets.token_hex(16)}")
    url: str = ""
    agent_uid: int = field(default_factory=lambda: next(_UIDS))
    started: int = 0
    plan: dict[str, Any] = field(default_factory=dict)
    first_call: float = 0.0

    @classmethod
    @contextmanager
    def open(cls, *, afresh: bool = False) -> Iterator[Harness]:
        """Serve it on a free port for a while."""
        with tempfile.TemporaryDirectory(prefix="harness-") as name:
            folder = Path(name)
            folder.chmod(0o755)
            harness = cls(folder, afresh)
            harness.git_answers.set()
            server = ThreadingHTTPServer(
                ("127.0.0.1", 0), type("Handler", (Endpoints,), {"harness": harness})
            )
            harness.url = f"http://127.0.0.1:{server.server_port}"
            thread = threading.Thread(target=server.serve_forever, args=(0.05,))
            thread.start()
            (folder / "url").write_text(harness.url)
            try:
                harness.make_repository()
                harness.ask()
                yield harness
            finally:
                server.shutdown()
                thread.join()
                server.server_close()

    @property
    def bare(self) -> Path:
        """The repository on GitHub's side."""
        return self.folder / "git/acme/shop.git"

    def git(self, *arguments: str, cwd: Path | None = None) -> str:
        """Run git in the repository on GitHub's side, or elsewhere."""
        return _git(*arguments, cwd=cwd or self.bare)

    def make_repository(self) -> None:
        """Make a repository with two commits on main and the branch that OpenPullRequest leaves."""
        shutil.copytree(_prepared(), self.folder, dirs_exist_ok=True)
        self.git("remote", "set-url", "origin", str(self.bare), cwd=self.folder / "seed")

    def ask(self, **changes: Any) -> None:
        """Write request.json."""
        now = datetime.now(UTC).isoformat()
        request = {
            "session_id": SESSION,
            "execution_arn": "arn:aws:states:eu-central-1:000000000000:execution:AgentSession:x",
            "repository": "acme/shop",
            "git_url": f"{self.url}/git/acme/shop.git",
            "base": "main",
            "branch": "claude/7",
            "pull_request": 8,
            "pull_request_url": f"{self.url}/acme/shop/pull/8",
            "comment_id": 99,
            "issue": 7,
            "title": "The greeting is misspelt",
            "body": "It says `helo`.",
            "prompt": None,
            "requested_by": "maintainer",
            "requested_by_id": 583231,
            "author": {"name": "pullwright[bot]", "email": "1+pullwright[bot]@users.noreply.github.com"},
            "provider": "anthropic",
            "model": "claude-opus-5-5",
            "limits": {"usd": 5.0, "turns": 20, "minutes": 5},
            "stub": False,
            "repository_is_private": True,
            "created_at": now,
            **changes,
        }
        AgentRequest.model_validate_json(json.dumps(request))
        self.objects[f"sessions/{SESSION}/request.json"] = json.dumps(request).encode()

    @staticmethod
    def key(name: str) -> str:
        """One artifact's key."""
        return f"sessions/{SESSION}/{name}"

    def artifact(self, name: str) -> bytes:
        """One artifact's content."""
        return self.objects[self.key(name)]

    @property
    def result(self) -> AgentResult:
        """What the runner says came of it."""
        return AgentResult.model_validate_json(self.artifact("result.json"))

    def now(self) -> datetime:
        """Return the time on the moved clock."""
        return datetime.now(UTC) + self.moved

    def move_clock(self, by: timedelta) -> None:
        """Move everybody's clock, the runner's too if it was started with one that can be moved."""
        self.moved += by
        written = self.folder / "clock.new"
        written.write_text(str(self.moved.total_seconds()))
        written.rename(self.folder / "clock")

    def grant(self) -> Grant:
        """Give new credentials for one hour; the old ones stay valid for as long as they were."""
        number = len(self.grants)
        made = Grant(f"{TOKEN}{number or ''}", f"ASIAMADEUP{number or ''}", self.now() + timedelta(hours=1))
        self.grants.append(made)
        return made

    def takes_token(self, token: str) -> bool:
        """Return whether GitHub takes a token now."""
        return any(g.token == token and not g.revoked and self.now() < g.ends for g in self.grants)

    def takes_key(self, access_key_id: str) -> bool:
        """Return whether AWS takes a key now."""
        return any(g.access_key_id == access_key_id and self.now() < g.ends for g in self.grants)

    def fake_cli(self, script: str) -> None:
        """Put a program named `claude` on the runner's PATH.

        Args:
            script: its text, for sh; `finish` prints a good last line, `$PROMPT` is the line with the prompt.
        """
        (self.folder / "bin").mkdir(exist_ok=True)
        cli = self.folder / "bin/claude"
        cli.write_text(f"#!/bin/sh\n{_FINISH}\n{script}\n")
        cli.chmod(0o755)

    def real_cli(self, *, trusted: bool = True) -> None:
        """Put the real CLI on the runner's PATH.

        Args:
            trusted: as the runner starts it; without, it asks for permissions that nobody gives.
        """
        (self.folder / "bin").mkdir()
        source, target = find_cli(), self.folder / "bin/claude"
        if not trusted:
            target.write_text(_DISTRUST)
            target.chmod(0o755)
            target = self.folder / "bin/claude-itself"
        try:
            target.hardlink_to(source)
        except OSError:
            shutil.copy(source, target)
        target.chmod(0o755)

    @property
    def variables(self) -> dict[str, str]:
        """What the platform and the task definition put into a task's environment."""
        return {
            "SESSION_ID": SESSION,
            "BROKER_URL": f"{self.url}/broker",
            "SESSIONS_TABLE": "sessions",
            "ARTIFACTS_BUCKET": "artifacts",
            "GITHUB_API_URL": f"{self.url}/api/v3",
            "ECS_CONTAINER_METADATA_URI_V4": f"{self.url}/metadata",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{self.url}{self.credentials_path}",
            "AWS_REGION": "eu-central-1",
            "AWS_ENDPOINT_URL": self.url,
        }

    def start(self, *prefix: str, movable: bool = False, module: str = "runner", **variables: str) -> Runner:
        """Start the runner.

        Args:
            prefix: a program, with its arguments, that starts it; it is then not forked.
            movable: with a clock that `move_clock` moves, on which pauses between attempts take no time.
            module: which program, of a harness that starts them afresh.
            variables: for its environment, besides the usual ones.
        """
        self.started += 1
        environment = {
            "PATH": f"{self.folder}/bin:/usr/local/bin:/usr/bin:/bin",
            **self.variables,
            "WORK_DIR": str(self.folder / f"work{self.started}"),
            "AGENT_UID": str(self.agent_uid),
            "CHECKS_UID": str(self.agent_uid + 1),
            "BROWSER_UID": str(self.agent_uid + 2),
            "AGENT_ISOLATION": "user" if os.geteuid() == 0 else "none",
            **variables,
        }
        clock = self.folder / "clock"
        if not prefix and not self.afresh:
            return ForkedRunner(self.folder, environment, clock if movable else None)
        program = [str(ROOT / "tests/container/moved_runner.py"), str(clock)]
        return subprocess.Popen(
            [*prefix, sys.executable, *(program if movable else ["-m", module])],
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *, movable: bool = False, **variables: str) -> Ran:
        """Run the runner to its end."""
        return finish(self.start(movable=movable, **variables))


def _git(*arguments: str, cwd: Path) -> str:
    command = ["git", *IDENTITY, *arguments]
    return subprocess.run(command, cwd=cwd, check=True, capture_output=True, text=True).stdout.strip()


@cache
def _prepared() -> Path:
    """Return a folder with the repository on GitHub's side and a clone, made once for all tests."""
    folder = Path(tempfile.mkdtemp(prefix="prepared-"))
    atexit.register(shutil.rmtree, folder)
    folder.chmod(0o755)
    bare, seed = folder / "git/acme/shop.git", folder / "seed"
    bare.parent.mkdir(parents=True)
    _git("init", "-q", "--bare", "-b", "main", str(bare), cwd=folder)
    for key in ("http.receivepack", "uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"):
        _git("config", key, "true", cwd=bare)
    _git("clone", "-q", str(bare), str(seed), cwd=folder)
    (seed / "src").mkdir()
    for content in ("old", None):
        for path, text in FILES.items():
            (seed / path).write_text(content or text)
        _git("add", "-A", cwd=seed)
        _git("commit", "-q", "-m", f"Say {content or 'helo'}", cwd=seed)
    _git("checkout", "-q", "-b", "claude/7", cwd=seed)
    _git("commit", "-q", "--allow-empty", "-m", "Begin work on #7", cwd=seed)
    _git("push", "-q", "origin", "main", "claude/7", cwd=seed)
    return folder


@dataclass(frozen=True)
class Ran:
    """A runner that has ended: exit code and everything that it printed."""

    code: int
    output: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Its log."""
        return [json.loads(line) for line in self.output.splitlines()]


def finish(process: Runner, seconds: float = 90) -> Ran:
    """Wait for a runner's end."""
    try:
        output, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        output, _ = process.communicate()
        raise AssertionError(f"the runner did not end:\n{output}") from None
    return Ran(process.wait(), output)


def stop_when(process: Runner, ready: Path) -> Ran:
    """Send SIGTERM as ECS does, once a file is there."""
    deadline = time.monotonic() + 60
    while not ready.exists():
        assert time.monotonic() < deadline, "the agent never came so far"
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    return finish(process)


# Standard input stays open until the last line was printed, as the real CLI's does.
_FINISH = """\
read -r PROMPT
exec < /dev/null
finish() {
  echo '{"type":"assistant","message":{"id":"m1","content":[{"type":"text","text":"I mended it."}]}}'
  echo '{"type":"result","subtype":"success","is_error":false,"terminal_reason":"completed",\
"result":"Fixes #3: it says hello now.","num_turns":2,"permission_denials":'"${1:-[]}"'}'
}
"""

_DISTRUST = """\
#!/bin/bash
exec "$0-itself" "${@/#--dangerously-skip-permissions/--permission-mode=default}"
"""
