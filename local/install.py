"""`python3 -m local.install`: all tools of a checkout, from the locks, into `.local` and `.venv`.

Runs on the system's Python with nothing but the standard library. What is already there is left alone: a
stamp per part holds the hash of what it was made from.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from local import chromium
from local.certificates import trust
from local.layout import ENGINE_LIBRARIES, ROOT, TOOLS
from local.progress import Steps

OLDEST, NEWEST = (3, 11), (3, 13)
"""Pythons that both the lock files and Lambda's runtimes know."""

CLAUDE = ROOT / "container"
"""What npm installs for the agent, here and in the image."""
CLAUDE_VERSION: str = json.loads((CLAUDE / "package.json").read_text(encoding="utf-8"))["dependencies"][
    "@anthropic-ai/claude-code"
]
NODE = ROOT / "tests" / "node"
"""What npm installs for the tests and `make lint`."""
DEV = ROOT / ".venv"
STAMPS = TOOLS / "stamps"
PARALLEL = 3
COMPILED = ("lambda", "runner")
"""Environments that every function and every task starts from; the others are started a few times."""

PROGRAMS = {
    "git": "install Git (Debian and Ubuntu: apt install git; macOS: xcode-select --install)",
    "make": "install Make (Debian and Ubuntu: apt install make; macOS: xcode-select --install)",
    "node": "install Node.js 20 or newer (https://nodejs.org, or your system's packages)",
    "npm": "install npm, which comes with Node.js (https://nodejs.org)",
}


class SetupError(Exception):
    """Something that the person must do first; the text says what."""


@dataclass(frozen=True)
class Part:
    """One thing to install.

    Attributes:
        target: where it goes; if it is gone, the stamp counts for nothing.
    """

    name: str
    sources: tuple[Path, ...]
    target: Path
    make: Callable[[], None]

    @property
    def stamp(self) -> Path:
        """The file that says what is installed."""
        return STAMPS / self.name.replace(" ", "-").replace("'", "")

    def fingerprint(self) -> str:
        """Return what decides: sources, interpreter and place."""
        digest = hashlib.sha256(f"{sys.version_info[:3]} {self.target}".encode())
        for source in self.sources:
            digest.update(source.read_bytes())
        return digest.hexdigest()

    def is_current(self) -> bool:
        """Return whether nothing needs to be done."""
        return (
            self.target.exists()
            and self.stamp.exists()
            and self.stamp.read_text(encoding="utf-8") == self.fingerprint()
        )

    def install(self) -> None:
        """Install it and leave the stamp."""
        self.stamp.unlink(missing_ok=True)
        self.make()
        STAMPS.mkdir(parents=True, exist_ok=True)
        self.stamp.write_text(self.fingerprint(), encoding="utf-8")


def run(*command: str | Path, cwd: Path = ROOT, variables: Mapping[str, str] | None = None) -> str:
    """Run a program quietly.

    Returns:
        What it printed.

    Raises:
        SetupError: it failed; the text has its last words.
    """
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**os.environ, **trust(), **(variables or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        tail = "\n".join(done.stdout.strip().splitlines()[-20:])
        raise SetupError(f"{' '.join(map(str, command))}\nfailed with {done.returncode}:\n{tail}")
    return done.stdout


def check_machine() -> None:
    """Say what is missing before anything is installed.

    Raises:
        SetupError: with one line for each thing that is missing.
    """
    problems = []
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        problems.append(
            f"Python {sys.version.split()[0]} does not fit: install Python 3.11, 3.12 or 3.13 and run "
            "make with PYTHON=python3.13 (or which you chose)"
        )
    problems += [
        f"{name} is missing: {remedy}" for name, remedy in PROGRAMS.items() if shutil.which(name) is None
    ]
    if problems:
        raise SetupError("\n".join(problems))


def make_uv() -> None:
    """Make a virtual environment with uv, by Python itself."""
    try:
        run(sys.executable, "-m", "venv", "--clear", TOOLS / "tools")
    except SetupError as error:
        raise SetupError(
            f"{error}\nPython cannot make virtual environments here: on Debian and Ubuntu, "
            "apt install python3-venv"
        ) from error
    run(
        *(
            TOOLS / "tools" / "bin" / "python",
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ),
        *("--no-deps", "--require-hashes", "-r", ROOT / "requirements" / "tools.txt"),
    )


def uv(*arguments: str | Path, venv: Path) -> None:
    """Run uv on a virtual environment."""
    variables = {
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_NO_PROGRESS": "1",
        # What may not write bytecode would otherwise compile boto3 and pydantic at every start.
        "UV_COMPILE_BYTECODE": "1" if venv.name in COMPILED else "0",
        "VIRTUAL_ENV": str(venv),
    }
    run(TOOLS / "tools" / "bin" / "uv", *arguments, "--quiet", variables=variables)


def make_project() -> None:
    """Install the project itself and all that its developers need, from `uv.lock`."""
    uv("sync", "--frozen", "--python", sys.executable, venv=DEV)


def make_venv(target: Path, lock: Path, project: Path | None) -> None:
    """Make a virtual environment with exactly what a lock says.

    Args:
        project: a project of this checkout that belongs into it too, without its own requirements.
    """
    if not (target / "bin" / "python").exists():
        uv("venv", "--clear", "--python", sys.executable, target, venv=target)
    uv("pip", "sync", "--require-hashes", lock, venv=target)
    if project:
        uv("pip", "install", "--no-deps", "--editable", project, venv=target)


def make_localstack(target: Path, lock: Path, project: Path | None) -> None:
    """Make LocalStack's virtual environment, with its index of AWS's operations.

    Each engine would spend more than half of the CPU of its start on an index of its own.
    """
    make_venv(target, lock, project)
    shutil.rmtree(target / ENGINE_LIBRARIES, ignore_errors=True)
    (target / ENGINE_LIBRARIES).mkdir(parents=True)
    # In a container LocalStack would take the container's own folders.
    variables = {"FILESYSTEM_ROOT": str(target), "OVERRIDE_IN_DOCKER": "0"}
    run(target / "bin" / "python", "-m", "localstack.aws.spec", variables=variables)


def npm_install(source: Path, target: Path, *, scripts: bool) -> None:
    """Install exactly what a lock of npm says.

    Args:
        source: folder with `package.json` and its lock.
        scripts: whether the packages' own install scripts are run.
    """
    target.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy2(source / name, target / name)
    run("npm", "ci", "--no-audit", "--no-fund", f"--ignore-scripts={str(not scripts).lower()}", cwd=target)


def make_node() -> None:
    """Install the tests' tools from npm, without the editions of descriptions that no test reads (380 MB)."""
    npm_install(NODE, TOOLS / "node", scripts=False)
    for folder in ("openapi", "openapi-webhooks"):
        for edition in (TOOLS / "node/node_modules/@octokit" / folder / "generated").glob("*.json"):
            if edition.name != "api.github.com.json":
                edition.unlink()


def make_claude() -> None:
    """Install the agent's CLI from npm.

    Raises:
        SetupError: npm installed another version than the pinned one.
    """
    target = TOOLS / "claude"
    # Scripts must run: without its own, the package is a stub that only says so.
    npm_install(CLAUDE, target, scripts=True)
    claude = target / "node_modules" / ".bin" / "claude"
    found = run(claude, "--version").strip()
    if not found.startswith(CLAUDE_VERSION):
        raise SetupError(
            f"npm installed Claude Code {found!r} instead of {CLAUDE_VERSION}: try make clean setup"
        )


def make_browser() -> None:
    """Install the browser that takes screenshots of previews."""
    npm_install(chromium.SOURCE, chromium.TARGET, scripts=False)
    chromium.unpack()


def parts() -> list[Part]:
    """Everything but uv, the slowest first."""
    requirements, engine = ROOT / "requirements", ROOT / "local" / "engine"
    venvs = (
        ("LocalStack", "localstack", requirements / "localstack.txt", engine, make_localstack),
        ("SAM CLI", "sam", requirements / "sam.txt", None, make_venv),
        ("Lambda runtime", "lambda", requirements / "lambda.txt", None, make_venv),
        ("runner", "runner", ROOT / "container" / "requirements.txt", ROOT, make_venv),
    )
    lock = (ROOT / "uv.lock", ROOT / "pyproject.toml", *sorted((ROOT / "local").glob("*/pyproject.toml")))
    found = [
        Part("Claude Code", (CLAUDE / "package-lock.json",), TOOLS / "claude" / "node_modules", make_claude),
        Part("tools from npm", (NODE / "package-lock.json",), TOOLS / "node" / "node_modules", make_node),
        Part("development tools", lock, DEV / "bin" / "pullwright", make_project),
    ]
    if chromium.is_for_this_machine():
        lock_file = chromium.SOURCE / "package-lock.json"
        found.insert(1, Part("browser", (lock_file,), chromium.TARGET / "unpacked", make_browser))
    for name, folder, requirement, project, make in venvs:
        target = TOOLS / "venvs" / folder
        sources = (requirement, project / "pyproject.toml") if project else (requirement,)
        found.append(Part(name, sources, target, partial(make, target, requirement, project)))
    return found


def install() -> int:
    """Install what is missing or out of date.

    Returns:
        How many parts were installed.
    """
    installer = Part("uv", (ROOT / "requirements" / "tools.txt",), TOOLS / "tools" / "bin" / "uv", make_uv)
    wanted = [part for part in parts() if not part.is_current()]
    first = [] if installer.is_current() else [installer]
    if not wanted and not first:
        return 0
    check_machine()
    print("Setting up (once per checkout; about two minutes and 2.5 GB):", flush=True)
    with Steps("setting up", len(wanted) + len(first)) as steps, ThreadPoolExecutor(PARALLEL) as pool:

        def do(part: Part) -> None:
            with steps.step(part.name):
                part.install()

        for part in first:
            do(part)
        for done in [pool.submit(do, part) for part in wanted]:
            done.result()
    return len(wanted) + len(first)


def main() -> int:
    """Install and report.

    Returns:
        Exit code: 0, or 1 when something must be done by hand first.
    """
    began = time.monotonic()
    try:
        count = install()
    except SetupError as error:
        print(f"\nsetup: {error}", file=sys.stderr)
        return 1
    if count:
        print(f"Ready after {time.monotonic() - began:.0f} s.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
