"""One container of a task: what it is started with, and the process that runs in its place."""

import json
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pullwright_engine.ecs.errors import StartError
from pullwright_engine.ecs.logs import LogStream
from pullwright_engine.processes import Child, spawn
from pullwright_engine.settings import Image, Settings

Document = dict[str, Any]

DEFAULT_STOP_SECONDS = 30
"""Between SIGTERM and SIGKILL when the definition has no `stopTimeout`; Fargate allows at most 120."""


@dataclass
class Container:
    """A running container.

    Attributes:
        pump: the thread that reads its output to the end.
        stop_seconds: its `stopTimeout`.
    """

    name: str
    child: Child
    pump: threading.Thread
    stop_seconds: float
    essential: bool


def environment(
    definition: Document,
    override: Document,
    *,
    platform: dict[str, str],
    image: Image,
    secrets: dict[str, str],
) -> dict[str, str]:
    """Return all variables of a container; later ones win: image, platform, definition, secrets, override.

    Args:
        override: of the container in RunTask, maybe empty.
        secrets: values of the definition's `secrets`, by variable.
    """
    merged = {**image.environment, **platform}
    merged |= {entry["name"]: entry["value"] for entry in definition.get("environment") or []}
    merged |= secrets
    merged |= {entry["name"]: entry["value"] for entry in override.get("environment") or []}
    return merged


def secret_value(reference: str, read: Any) -> str:
    """Return the value behind a `valueFrom`.

    Args:
        reference: ARN of a secret, with `:json-key:version-stage:version-id` or without.
        read: gives the text of a secret by ARN.

    Raises:
        KeyError: the JSON has no such key.
    """
    parts = reference.split(":")
    text = str(read(":".join(parts[:7])))
    key = parts[7] if len(parts) > 7 else ""  # noqa: PLR2004 - an ARN of a secret has seven parts
    return str(json.loads(text)[key]) if key else text


def start(
    definition: Document,
    override: Document,
    *,
    image: Image,
    variables: dict[str, str],
    folder: Path,
    stream: LogStream,
    settings: Settings,
) -> Container:
    """Start a container's process.

    Args:
        override: of the container in RunTask, maybe empty.

    Raises:
        StartError: the command cannot be started.
    """
    command = [*image.command, *(override.get("command") or definition.get("command") or [])]
    try:
        child = spawn(
            command,
            kind=f"task {folder.name} {definition['name']}",
            notes=settings.children_dir,
            cwd=folder,
            environment=variables,
            output=subprocess.PIPE,
        )
    except OSError as error:
        raise StartError(f"CannotStartContainerError: {error.strerror}: {command[0]}") from error
    pump = threading.Thread(target=stream.pump, args=(child.process.stdout,), daemon=True)
    pump.start()
    return Container(
        name=definition["name"],
        child=child,
        pump=pump,
        stop_seconds=min(float(definition.get("stopTimeout") or DEFAULT_STOP_SECONDS), 120.0),
        essential=definition.get("essential", True) is not False,
    )
