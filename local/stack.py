"""The whole local stack: up, down, status, clean."""

import contextlib
import fcntl
import json
import platform
import shutil
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local import app, persistence
from local.layout import APP_PERMISSIONS, ROOT, Layout
from local.model_choice import Model
from local.progress import Steps
from local.sam import Sam, fingerprint
from local.services import Services
from local.supervise import Known, children, end

STACK = "pullwright-local"
RUNTIMES = ("python3.11", "python3.12", "python3.13")
STOP_SECONDS = 8.0
OWN = ("engine", "github", "model", "logs", "build", "saved", "test", "stack.json", "up.lock", "built")
"""What a stack keeps in its folder; `clean` removes these and nothing else."""


@dataclass
class Stack:
    """One stack of this checkout.

    Attributes:
        parameters: template parameters beyond those that this machine decides.
    """

    layout: Layout
    model: Model
    parameters: dict[str, str] = field(default_factory=dict)

    # --- up ------------------------------------------------------------------------------------------------

    def up(self) -> dict[str, Any]:
        """Start what does not run, deploy what has changed.

        Returns:
            What `stack.json` says.

        Raises:
            NotReadyError: a process did not start.
            SamError: the template could not be built or deployed.
        """
        self.layout.data.mkdir(parents=True, exist_ok=True)
        with self._lock():
            told = read(self.layout)
            if told and not self._fits(told):
                self._save(told)
                self._end()
                told = None
            if told and told["fingerprint"] == self._fingerprint(told["github_url"]):
                return told
            fresh = told is None
            with Steps("starting" if fresh else "updating", 6 if fresh else 2) as steps:
                if told is None:
                    told = self._start(steps)
                self._deploy(told, steps)
            return told

    def _fits(self, told: dict[str, Any]) -> bool:
        """Return whether what runs can stay: all of it, with the same model, from the same code."""
        return (
            all(known.alive for known in processes(told))
            and told["model"] == self.model.label
            and told["code"] == _code()
        )

    def _start(self, steps: Steps) -> dict[str, Any]:
        services = Services(self.layout, self.model)
        told = services.describe() | {"code": _code(), "fingerprint": "", "processes": []}

        def build() -> None:
            with steps.step("sam build"):
                self._build(told)

        def begin(name: str) -> Known:
            with steps.step(name):
                return services.starts[name]()

        with ThreadPoolExecutor(len(services.starts) + 1) as pool:
            built = pool.submit(build)
            running = [pool.submit(begin, name) for name in services.starts]
            for one in running:
                # Each is kept as soon as it runs, so that a failure of another does not lose it.
                with contextlib.suppress(Exception):
                    told["processes"].append(one.result().as_json())
            self._write(told)
            for one in running:
                one.result()
            built.result()
        return told

    # --- deploy --------------------------------------------------------------------------------------------

    def _all_parameters(self, github_url: str) -> dict[str, str]:
        version = f"python3.{sys.version_info.minor}"
        return {
            "GitHubApiUrl": f"{github_url}/api/v3",
            "ModelProvider": self.model.provider,
            # Whatever repositories the stand-in holds, they were made on this machine.
            "AllowedOwners": "*",
            # The functions run on this machine, whatever AWS would run them on.
            "Architecture": "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64",
            "FunctionsRuntime": version if version in RUNTIMES else RUNTIMES[-1],
            **self.parameters,
        }

    def _fingerprint(self, github_url: str) -> str:
        sources = [ROOT / "functions", ROOT / "statemachine", ROOT / "template.yaml"]
        return fingerprint(sources, json.dumps(self._all_parameters(github_url), sort_keys=True))

    def _sam(self, told: dict[str, Any]) -> Sam:
        return Sam(
            ROOT / "template.yaml",
            self.layout.build,
            self.layout.logs,
            told["endpoint_url"],
            STACK,
            self._all_parameters(told["github_url"]),
        )

    def _build(self, told: dict[str, Any]) -> None:
        """Build, unless the same was built before: addresses do not matter here, they change every time."""
        parameters = self._all_parameters("http://127.0.0.1:0")
        sources = [ROOT / "functions", ROOT / "statemachine", ROOT / "template.yaml"]
        wanted = fingerprint(sources, json.dumps(parameters, sort_keys=True))
        mark = self.layout.data / "built"
        if (
            (self.layout.build / "template.yaml").exists()
            and mark.exists()
            and mark.read_text(encoding="utf-8") == wanted
        ):
            return
        mark.unlink(missing_ok=True)
        self._sam(told).build()
        mark.write_text(wanted, encoding="utf-8")

    def _deploy(self, told: dict[str, Any], steps: Steps) -> None:
        fresh = "outputs" not in told
        if not fresh:
            with steps.step("sam build"):
                self._build(told)
        with steps.step("sam deploy"):
            told["outputs"] = self._sam(told).deploy()
        if fresh:
            with steps.step("secrets, GitHub App, saved sessions"):
                told |= app.install(told["endpoint_url"], told["outputs"], told["github_url"], self.model.key)
                interrupted = persistence.restore(
                    told["endpoint_url"], told["outputs"], self.layout.data / "saved"
                )
                if interrupted:
                    persistence.sweep(told["endpoint_url"], told["outputs"])
        told["fingerprint"] = self._fingerprint(told["github_url"])
        self._write(told)

    def _write(self, told: dict[str, Any]) -> None:
        draft = self.layout.stack_file.with_suffix(".new")
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
        draft.replace(self.layout.stack_file)

    # --- down ----------------------------------------------------------------------------------------------

    def down(self, *, keep: bool = True) -> list[str]:
        """End everything that this stack started.

        Args:
            keep: whether records and artifacts are put aside for the next `up`.

        Returns:
            Names of processes that did not end by themselves.
        """
        if not self.layout.data.exists():
            return []
        with self._lock():
            told = read(self.layout)
            if keep and told:
                self._save(told)
            return self._end()

    def _save(self, told: dict[str, Any]) -> None:
        # An engine that is gone or stuck has nothing to give.
        with contextlib.suppress(BotoCoreError, ClientError):
            if "outputs" in told:
                persistence.save(told["endpoint_url"], told["outputs"], self.layout.data / "saved")

    def _end(self) -> list[str]:
        known = processes(read(self.layout))
        stubborn = end(known, seconds=STOP_SECONDS)
        left = children(self.layout.children)
        end(left, seconds=0)
        shutil.rmtree(self.layout.children, ignore_errors=True)
        shutil.rmtree(self.layout.shared, ignore_errors=True)
        self.layout.stack_file.unlink(missing_ok=True)
        return stubborn

    def clean(self) -> None:
        """End everything and remove what this stack kept."""
        self.down(keep=False)
        for name in OWN:
            path = self.layout.data / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _lock(self) -> Iterator[None]:
        """One `up` or `down` of a stack at a time."""
        with (self.layout.data / "up.lock").open("w", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def read(layout: Layout) -> dict[str, Any] | None:
    """Return what `stack.json` says.

    Returns:
        `None` if no stack was started there.
    """
    try:
        told: dict[str, Any] = json.loads(layout.stack_file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return told


def processes(told: dict[str, Any] | None) -> list[Known]:
    """Return the processes that `stack.json` names."""
    return [Known(**one) for one in told["processes"]] if told else []


def status(layout: Layout) -> dict[str, Any]:
    """Return what runs."""
    told = read(layout)
    running = {known.name: known.alive for known in processes(told)}
    return {
        "up": bool(running) and all(running.values()) and "outputs" in (told or {}),
        "processes": running,
        "children": [child.name for child in children(layout.children) if child.alive],
        "stack_file": str(layout.stack_file),
        "endpoint_url": told["endpoint_url"] if told else None,
        "github_url": told["github_url"] if told else None,
    }


def _code() -> str:
    """Return a hash of what the processes run: after a change they are started anew."""
    names = ("engine", "github_standin", "model_standin", "emulator.py", "services.py")
    return fingerprint([*(ROOT / "local" / name for name in names), APP_PERMISSIONS])


def elapsed(began: float) -> str:
    """Seconds since a moment, for people.

    Args:
        began: of `time.monotonic`.
    """
    return f"{time.monotonic() - began:.1f} s"
