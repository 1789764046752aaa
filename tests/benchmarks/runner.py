"""From the task's start to the agent's first request, and how long cloning takes beside git's own."""

from __future__ import annotations

import base64
import os
import random
import shutil
import subprocess
import time
from typing import TYPE_CHECKING

from tests.benchmarks.figures import Figure, Section, median
from tests.container.cli import StandIn
from tests.container.endpoints import TOKEN
from tests.container.harness import Harness

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_ROUNDS = 5
_COMMITS = 5_000
_FILES = 400
_LINES = 120
_BRANCH = "claude/7"
_CONFIGURATION = """\
setup: python3 -m venv --without-pip .venv
checks: [{name: imports, command: .venv/bin/python -m compileall -q src}]
"""
_CHECK_PHASES = {
    "checks_checkout": "removal of what the agent left, and checkout",
    "checks_setup": "setup again",
    "checks": "the command",
}
_HEADER = "Authorization: Basic " + base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode()
_WHO = "Maintainer <maintainer@example.invalid>"


class NotMeasuredError(RuntimeError):
    """A session did not end as it has to."""


def measure(say: Callable[[str], None]) -> Section:
    """Measure the runner as a process of its own, with faked surroundings on this machine.

    Raises:
        NotMeasuredError: a session failed.
    """
    figures = [*_first_request(say), *_clone(say), *_checks(say)]
    if os.geteuid() != 0:
        figures.append(Figure("runs as the runner's own user", 1, "", note="not root"))
    return Section(
        "Runner",
        f"Medians of {_ROUNDS} sessions: the runner's process with the real CLI, real git and a scripted "
        "model, everything around it answered on this machine, so without Fargate's own start. The steps are "
        f"the runner's own phases. Cloning is measured with {_COMMITS} commits over {_FILES} files, in turns "
        "with a plain `git clone` of the same address; the runner's time includes the agent's checkout. The "
        "check runs in a repository of as many files, after a setup that makes a virtual environment; before "
        "checks had a checkout of their own, the command alone ran, in the agent's folder.",
        tuple(figures),
    )


def _first_request(say: Callable[[str], None]) -> Iterator[Figure]:
    rounds = []
    with StandIn.running() as model:
        for number in range(_ROUNDS):
            say(f"the agent's first request, round {number + 1} of {_ROUNDS}")
            with Harness.open(afresh=True) as harness:
                harness.real_cli()
                rounds.append(_one(harness, model))
    # Steps that not every session has count only if each round had them.
    for name in rounds[0]:
        yield median(name, [steps[name] for steps in rounds if name in steps], "s")


def _one(harness: Harness, model: StandIn) -> dict[str, float]:
    """Seconds per step, in order, and their sum."""
    model.play({"text": "There is nothing to do."})
    began = time.time()
    ran = harness.run(ANTHROPIC_BASE_URL=model.url)
    if ran.code != 0:
        raise NotMeasuredError(f"the runner ended with {ran.code}: {ran.output[-500:]}")
    first = min(request["at"] for request in model.requests() if "model" in request) - began
    phases = dict(harness.result.phases)
    before = {name: phases[name] for name in ("start", "request", "clone", "setup") if name in phases}
    imports = harness.first_call - began
    # What is left: the gateway, the prompt, and the CLI's own start.
    cli = first - imports - sum(before.values())
    return {
        "first model request after the task's start": first,
        "of it: interpreter and imports": imports,
        **{f"of it: {name}": seconds for name, seconds in before.items()},
        "of it: gateway and CLI": cli,
    }


def _clone(say: Callable[[str], None]) -> Iterator[Figure]:
    ours, plain = [], []
    with Harness.open(afresh=True) as harness:
        say(f"a repository of {_COMMITS} commits")
        make_history(harness, _COMMITS)
        for number in range(_ROUNDS):
            say(f"cloning, round {number + 1} of {_ROUNDS}")
            # Whoever always came second would always find warm caches.
            if number % 2:
                plain.append(_plain(harness))
                ours.append(_session(harness))
            else:
                ours.append(_session(harness))
                plain.append(_plain(harness))
    yield median("runner's clone and checkout", ours, "s")
    yield median("plain git clone", plain, "s")
    yield median("clone, ratio to plain git", [a / b for a, b in zip(ours, plain, strict=True)], "times")


def _checks(say: Callable[[str], None]) -> Iterator[Figure]:
    rounds = []
    for number in range(_ROUNDS):
        say(f"a check in a fresh checkout, round {number + 1} of {_ROUNDS}")
        with Harness.open(afresh=True) as harness:
            make_history(harness, _FILES)
            _configure(harness)
            rounds.append(_check(harness))
    yield median("a check in a fresh checkout", [sum(phases.values()) for phases in rounds], "s")
    for phase, name in _CHECK_PHASES.items():
        yield median(f"of it: {name}", [phases[phase] for phases in rounds], "s")


def _configure(harness: Harness) -> None:
    """Put the setup and the check onto `main`, on top of its history."""
    seed = harness.folder / "seed"
    harness.git("fetch", "-q", "origin", cwd=seed)
    harness.git("checkout", "-q", "-f", "-B", "main", "origin/main", cwd=seed)
    (seed / ".pullwright").mkdir()
    (seed / ".pullwright/config.yaml").write_text(_CONFIGURATION)
    (seed / ".gitignore").write_text(".venv\n")
    harness.git("add", "-A", cwd=seed)
    harness.git("commit", "-q", "-m", "Configuration", cwd=seed)
    harness.git("push", "-q", "origin", "main", cwd=seed)
    make_branch(harness)


def _check(harness: Harness) -> dict[str, float]:
    """Seconds per phase of the check."""
    harness.fake_cli("echo done > DONE.md; finish")
    ran = harness.run()
    if ran.code != 0 or not harness.result.checks_passed:
        raise NotMeasuredError(f"the runner ended with {ran.code}: {ran.output[-500:]}")
    return {phase: harness.result.phases[phase] for phase in _CHECK_PHASES}


def _session(harness: Harness) -> float:
    harness.record.clear()
    harness.record["status"] = "RUNNING"
    make_branch(harness)
    harness.ask(stub=True)
    ran = harness.run()
    if ran.code != 0:
        raise NotMeasuredError(f"the runner ended with {ran.code}: {ran.output[-500:]}")
    return harness.result.phases["clone"]


def _plain(harness: Harness) -> float:
    target = harness.folder / "plain"
    make_branch(harness)
    began = time.perf_counter()
    subprocess.run(
        ["git", "clone", "--quiet", "--branch", _BRANCH, f"{harness.url}/git/acme/shop.git", target],
        env={
            "PATH": os.environ["PATH"],
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "http.extraHeader",
            "GIT_CONFIG_VALUE_0": _HEADER,
        },
        check=True,
    )
    took = time.perf_counter() - began
    shutil.rmtree(target)
    return took


def make_history(harness: Harness, commits: int) -> None:
    """Give `main` a history in which every commit changes one line of one file."""
    subprocess.run(
        ["git", "fast-import", "--quiet", "--force"],
        cwd=harness.bare,
        input="".join(_stream(commits)).encode(),
        check=True,
    )
    # As a server keeps it.
    harness.git("repack", "-a", "-d", "-q")


def make_branch(harness: Harness) -> None:
    """Put the session's branch one empty commit in front of `main`, as OpenPullRequest leaves it."""
    tree = harness.git("rev-parse", "main^{tree}")
    commit = harness.git("commit-tree", tree, "-p", "main", "-m", "Begin work")
    harness.git("update-ref", f"refs/heads/{_BRANCH}", commit)


def _stream(commits: int) -> Iterator[str]:
    """https://git-scm.com/docs/git-fast-import#_input_format."""
    chance = random.Random(5_000)  # noqa: S311 - the same repository in every run
    files = [[_line(chance) for _ in range(_LINES)] for _ in range(_FILES)]
    for number in range(commits):
        which = number % _FILES
        files[which][chance.randrange(_LINES)] = _line(chance)
        text, message = "".join(files[which]), f"Change {number}\n"
        yield f"commit refs/heads/main\ncommitter {_WHO} {1_700_000_000 + number * 60} +0000\n"
        yield f"data {len(message)}\n{message}"
        if number == 0:
            yield "deleteall\n"
        yield f"M 100644 inline src/part{which % 20}/file{which}.py\ndata {len(text)}\n{text}\n"


def _line(chance: random.Random) -> str:
    return f"value_{chance.randrange(1 << 24):x} = compute({chance.random()!r}, {chance.randrange(999)})\n"
