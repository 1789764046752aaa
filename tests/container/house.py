"""Small repositories with house rules, and the real CLI in them: the runner's way, and the CLI's own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.agent.command import agent_environment, cli_arguments
from runner.gateway.config import GatewayConfig
from runner.git.store import Store
from runner.git.workspace import Workspace
from runner.rules.base import BaseFiles
from runner.rules.delivery import HouseRules, deliver
from runner.user import User
from tests.container.cli import AGENT_UID, StandIn, find_cli
from tests.unit.runner_kit import a_request

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

MODEL = "claude-opus-5-5"
TOOLS = ("Bash", "Read", "Edit", "Write", "Glob", "Grep", "TodoWrite")
IDENTITY = ("-c", "user.name=Maintainer", "-c", "user.email=maintainer@example.invalid")


@dataclass(frozen=True)
class Link:
    """A symbolic link in a repository."""

    target: str


Files = dict[str, str | Link | None]


@dataclass(frozen=True)
class Asked:
    """What the model was asked in one session.

    Attributes:
        marks: for each request, the marks in it.
        ran: names of the files that planted commands have written.
    """

    marks: list[set[str]]
    models: list[str]
    tools: set[str]
    ran: set[str]
    rules: HouseRules
    lines: list[dict[str, Any]]

    @property
    def everything(self) -> set[str]:
        """All marks of all requests."""
        return set().union(*self.marks)


@dataclass(frozen=True)
class House:
    """Folders that the agent's user may enter, with the CLI in them."""

    folder: Path
    standin: StandIn

    @classmethod
    @contextmanager
    def open(cls, standin: StandIn) -> Iterator[House]:
        """Prepare the CLI for a while."""
        standin.call("PUT", "marks", "HOUSE_[A-Z0-9_]+")
        with tempfile.TemporaryDirectory(prefix="house-") as name:
            folder = Path(name)
            folder.chmod(0o755)
            (folder / "bin").mkdir()
            try:
                (folder / "bin/claude").hardlink_to(find_cli())
            except OSError:
                shutil.copy(find_cli(), folder / "bin/claude")
            (folder / "bin/claude").chmod(0o755)
            yield cls(folder, standin)

    def ask(
        self,
        base: Files,
        branch: Files | None = None,
        *,
        steps: Sequence[dict[str, Any]] = (),
        tools: Sequence[str] = TOOLS,
        own: str | None = None,
        home: Files | None = None,
    ) -> Asked:
        """Let the CLI work in a repository.

        Args:
            branch: what the branch changes; None deletes a file.
            steps: the model's, before it ends; `{ran}` is the folder for what planted commands leave.
            own: the CLI's own way, with these sources of settings and nothing of the runner's.
        """
        root = Path(tempfile.mkdtemp(dir=self.folder))
        root.chmod(0o755)
        ran = root / "ran"
        ran.mkdir()
        ran.chmod(0o777)
        user = User(AGENT_UID if os.geteuid() == 0 else None)
        workspace = Workspace.create(root, root, name="shop", user=user)
        store = self._commit(workspace.folder, base, branch or {}, ran)
        _put(workspace.home, home or {}, ran)
        rules = deliver(_base_files(store), root / "claude", "main")
        for folder in (workspace.folder, workspace.home):
            for path in (folder, *folder.rglob("*")):
                user.own(path)
        gateway = GatewayConfig(provider="anthropic", model=MODEL, limit_usd=5).environment(self.standin.url)
        environment = {
            **agent_environment(workspace, gateway),
            "PATH": f"{self.folder}/bin:{os.environ['PATH']}",
            "CLAUDE_CODE_MAX_RETRIES": "0",
        }
        command = cli_arguments(a_request(), "01234567-89ab-4def-8123-456789abcdef", rules, tools)
        if own is None:
            environment["CLAUDE_CONFIG_DIR"] = str(rules.folder)
        else:
            # As the CLI would be started by somebody who knows nothing of this: the oracle.
            left = ("--setting-sources", "--settings", "--strict-mcp-config", "--tools")
            command = [word for word in command if not word.startswith(left)]
            command += [f"--setting-sources={own}", f"--tools={','.join((*tools, 'Skill', 'Task'))}"]
        self.standin.play(*json.loads(json.dumps(steps).replace("{ran}", str(ran))), {"text": "Done."})
        message = {"type": "user", "message": {"role": "user", "content": "Do what is wanted."}}
        done = subprocess.run(
            user.command(command),
            cwd=workspace.folder,
            env=environment,
            input=json.dumps(message) + "\n",
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        assert lines, done.stderr
        requests = [entry for entry in self.standin.requests() if entry.get("tools")]
        return Asked(
            marks=[set(entry["marks"]) for entry in requests],
            models=[entry["model"] for entry in requests],
            tools=set(requests[0]["tools"]) if requests else set(),
            ran={path.name for path in ran.iterdir()},
            rules=rules,
            lines=lines,
        )

    def _commit(self, folder: Path, base: Files, branch: Files, ran: Path) -> Store:
        def git(*arguments: str) -> None:
            subprocess.run(["git", *IDENTITY, *arguments], cwd=folder, check=True, capture_output=True)

        # Git wants the folder to be its own user's; it is given to the agent's afterwards.
        os.chown(folder, os.geteuid(), os.getegid())
        git("init", "-q", "-b", "main")
        for files, name in ((base, "main"), (branch, "claude/7")):
            if name != "main":
                git("checkout", "-q", "-b", name)
            _put(folder, files, ran)
            git("add", "-A", "-f")
            git("commit", "-q", "--allow-empty", "-m", f"What {name} has")
        return Store(folder / ".git")


def _put(folder: Path, files: Mapping[str, str | Link | None], ran: Path) -> None:
    """Write files; `{ran}` in them is the folder where planted commands leave their names."""
    for name, content in files.items():
        path = folder / name
        if content is None or isinstance(content, Link):
            path.unlink(missing_ok=content is not None)
        if content is None:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Link):
            path.symlink_to(content.target)
        else:
            path.write_text(content.replace("{ran}", str(ran)))


def _base_files(store: Store) -> BaseFiles:
    return BaseFiles(store.find("main"), lambda names: dict(store.blobs(list(names))))
