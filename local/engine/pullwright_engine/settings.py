"""The engine's settings: one JSON file that the launcher writes and the environment names."""

import fnmatch
import json
import os
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from pullwright_engine.faults import Faults

VARIABLE = "PULLWRIGHT_ENGINE"


@dataclass(frozen=True)
class Image:
    """The command that runs instead of a container image.

    Attributes:
        command: the image's entry point; a command of the task definition or override is appended.
        digest: what DescribeTasks shows as the image's digest.
    """

    command: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    digest: str = "sha256:" + "0" * 64


@dataclass(frozen=True)
class Settings:
    """How this engine runs tasks and functions.

    Attributes:
        children_dir: one file per running child process, so that they can be ended without the engine.
        tasks_dir: where each task gets a folder of its own; another user must be able to reach it.
        log_dir: where the output of tasks is kept beside CloudWatch Logs.
        images: image name patterns (`fnmatch`) to what runs for them; anything else cannot be pulled.
        task_path: PATH of tasks.
        task_environment: variables of every task; `{task_dir}`, `{task_id}`, `{task_uid}`, `{checks_uid}` and
            `{browser_uid}`, user ids that no other task has, are filled in.
        function_python: interpreter that holds what Lambda brings, never LocalStack's own.
        max_environments: how many function environments may exist at once.
        queue_seconds: how long an invocation waits for one before it is throttled.
        calls_file: where each AWS call is recorded with the role that made it; none when empty.
        faults_file: where tests order failures; see `pullwright_engine.faults`.
        fargate_vcpus: the account's quota of vCPUs for Fargate tasks; no quota when empty.
        elb_rules: the account's quota of rules for one load balancer.
        elb_lag: seconds until a change of rules reaches the traffic of a load balancer.
    """

    children_dir: Path
    tasks_dir: Path
    log_dir: Path
    images: dict[str, Image]
    task_path: str
    function_python: str
    task_environment: dict[str, str] = field(default_factory=dict)
    function_environment: dict[str, str] = field(default_factory=dict)
    max_environments: int = 10
    queue_seconds: float = 20.0
    calls_file: Path | None = None
    faults_file: Path | None = None
    fargate_vcpus: float | None = None
    elb_rules: int = 100
    elb_lag: float = 0.0

    def image(self, name: str) -> Image | None:
        """Return what runs instead of an image.

        Returns:
            The first image whose pattern matches, or `None` if there is no such image.
        """
        for pattern, image in self.images.items():
            if fnmatch.fnmatchcase(name, pattern):
                return image
        return None


def parse(document: dict[str, Any]) -> Settings:
    """Read settings from decoded JSON.

    Args:
        document: keys are the attributes of `Settings`; paths are strings.

    Raises:
        TypeError: a key is unknown or a required one is missing.
    """
    values = dict(document)
    for key in ("children_dir", "tasks_dir", "log_dir", "calls_file", "faults_file"):
        if values.get(key) is not None:
            values[key] = Path(values[key])
    values["images"] = {
        pattern: Image(**{**image, "command": tuple(image["command"])})
        for pattern, image in values["images"].items()
    }
    return Settings(**values)


def settings() -> Settings:
    """Return this engine's settings; the launcher may write them anew while it runs.

    Raises:
        KeyError: the environment does not name the file.
    """
    path = Path(os.environ[VARIABLE])
    return _read(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=1)
def _read(path: Path, _changed: int) -> Settings:
    return parse(json.loads(path.read_text(encoding="utf-8")))


@cache
def faults() -> Faults:
    """Return the failures that tests order of this engine."""
    return Faults(settings().faults_file)
