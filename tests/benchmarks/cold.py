"""Cold starts: whole processes, one after the other in alternating rounds."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks import delivery
from tests.benchmarks.figures import Mark, Section, median

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_ROUNDS = 15
_SHARE = 0.5
_SITE_PACKAGES = Path(sysconfig.get_path("purelib"))
_READY = "import os; os.write(1, b'ready')"
_WEBHOOK = f"import pullwright.handlers.webhook; {_READY}"
_JIRA = f"import pullwright.handlers.jira; {_READY}"
_POWERTOOLS = "from aws_lambda_powertools import Logger, Metrics; Logger(); Metrics();"
_BOTO3 = "import boto3; boto3.client('stepfunctions', region_name='eu-central-1');"
_DELIVERY = (
    "import json, os, sys\n"
    "from pullwright.handlers.webhook import handler\n"
    "answer = handler(json.load(open(sys.argv[1])), None)\n"
    "os.write(2 if answer['statusCode'] != 202 else 1, b'ready')"
)


class NotReadyError(RuntimeError):
    """A process ended without having become ready."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name}: the process did not become ready")


@dataclass
class Contestant:
    """One kind of process."""

    name: str
    command: Sequence[str]
    environment: dict[str, str] = field(default_factory=dict)
    milliseconds: list[float] = field(default_factory=list)

    def run(self, folder: Path) -> float:
        """Start the process and wait for its first byte.

        Returns:
            Milliseconds from the start until it said that it is ready.

        Raises:
            NotReadyError: it said nothing.
        """
        started = time.perf_counter()
        with subprocess.Popen(
            self.command,
            cwd=folder,
            env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as process:
            if process.stdout is None:
                raise AssertionError("it is a pipe")
            said = process.stdout.read(1)
            milliseconds = (time.perf_counter() - started) * 1000
            process.stdout.read()
        if not said:
            raise NotReadyError(self.name)
        return milliseconds


def measure(folder: Path, node: Path, endpoint_url: str, say: Callable[[str], None]) -> Section:
    """Measure all contestants."""
    package = _package(folder)
    event = str(delivery.written(folder))
    plain = {"PYTHONPATH": str(package), "PYTHONDONTWRITEBYTECODE": "1"}
    # The first round, which does not count, writes the bytecode.
    compiled = {**plain, "PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}
    aws = delivery.environment(endpoint_url)
    python = sys.executable

    webhook = Contestant("webhook function, ready", (python, "-c", _WEBHOOK), plain)
    imported = Contestant(
        "Node with @octokit/webhooks + client-sfn, import", ("node", str(node / "ready_import.mjs"))
    )
    required = Contestant("the same, require", ("node", str(node / "ready_require.cjs")))
    others = [
        Contestant("webhook function with bytecode", (python, "-c", _WEBHOOK), compiled),
        Contestant("and Powertools Logger + Metrics", (python, "-c", _POWERTOOLS + _WEBHOOK), plain),
        Contestant("and Powertools, with bytecode", (python, "-c", _POWERTOOLS + _WEBHOOK), compiled),
        Contestant("a boto3 stepfunctions client", (python, "-c", _BOTO3 + _READY), plain),
        Contestant("a boto3 client, with bytecode", (python, "-c", _BOTO3 + _READY), compiled),
        Contestant("Probot", ("node", str(node / "probot.mjs"))),
        Contestant("Jira's webhook function, ready", (python, "-c", _JIRA), plain),
        Contestant("bare Python", (python, "-c", _READY), plain),
        Contestant("bare Node", ("node", "-e", "process.stdout.write('ready')")),
        Contestant(
            "webhook function, first delivery answered", (python, "-c", _DELIVERY, event), plain | aws
        ),
        Contestant("Node, first delivery answered", ("node", str(node / "first_delivery.mjs"), event), aws),
    ]
    contestants = [webhook, imported, required, *others]
    for number in range(_ROUNDS + 1):
        say(f"cold starts, round {number} of {_ROUNDS}")
        for contestant in contestants:
            milliseconds = contestant.run(folder)
            if number:
                contestant.milliseconds.append(milliseconds)

    by_node = min(median("", one.milliseconds, "ms").value for one in (imported, required))
    mark = Mark(_SHARE * by_node, f"= {_SHARE} of the faster Node")
    return Section(
        "Cold start",
        f"Whole processes, from their start to the first byte they write when ready; {_ROUNDS} alternating "
        "rounds after one that does not count. Our code and Powertools run without bytecode, as SAM packages "
        "them, unless said otherwise. A first delivery is a signed label: the webhook reads its secret and "
        "starts the execution, Node (secret given) only starts it; AWS is a loopback process without TLS.",
        tuple(
            median(one.name, one.milliseconds, "ms", mark=mark if one is webhook else None)
            for one in contestants
        ),
    )


def _package(folder: Path) -> Path:
    """Copy our code, and Powertools with what it needs, without bytecode: SAM's builders drop it as well."""
    package = folder / "package"
    shutil.rmtree(package, ignore_errors=True)
    for name in ("pullwright", "aws_lambda_powertools", "jmespath"):
        parent = delivery.ROOT / "functions" if name == "pullwright" else _SITE_PACKAGES
        shutil.copytree(parent / name, package / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(_SITE_PACKAGES / "typing_extensions.py", package)
    return package
