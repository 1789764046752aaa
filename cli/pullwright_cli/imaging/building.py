"""Builds the image with `container/image.sh`, unless the content is there already."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pullwright import errors
from pullwright_cli.imaging.content import content_tag

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from pullwright_cli.imaging.registry import Registry

_ARCHIVES = {"agent": "dist/image", "preview": "dist/preview"}
_STANDARD_ERROR = 2


@dataclass(frozen=True)
class Builder:
    """A checkout, and the processor that its image is for.

    Attributes:
        architecture: as the template's parameter has it, or `both`.
        target: the Dockerfile's stage, `agent` or `preview`.
    """

    root: Path
    architecture: str
    target: str = "agent"

    @property
    def content(self) -> str:
        """The tag that says what the image holds."""
        return content_tag(self.root, self.architecture)

    def line(self, variables: Mapping[str, str]) -> str:
        """Return the plain line for a shell."""
        return " ".join([*(f"{name}='{value}'" for name, value in variables.items()), "container/image.sh"])

    def archive(self, *, force: bool = False) -> tuple[Path, bool]:
        """Build an OCI archive.

        Returns:
            It, and whether it was built now.

        Raises:
            ImageNotBuilt: the script failed, and has said why.
        """
        base = self.root / _ARCHIVES[self.target]
        archive, note = base.with_suffix(".tar"), base.with_suffix(".content")
        if not force and archive.is_file() and note.is_file() and note.read_text() == self.content:
            return archive, False
        note.unlink(missing_ok=True)
        content = self.content
        self._run({"TARGET": self.target, "ARCHITECTURE": self.architecture})
        note.write_text(content)
        return archive, True

    def push_variables(self, registry: Registry, tags: Iterable[str]) -> dict[str, str]:
        """Return what the script is told for a push."""
        return {
            "IMAGE": registry.uri,
            "TAG": " ".join([self.content, *tags]),
            "TARGET": self.target,
            "ARCHITECTURE": self.architecture,
        }

    def push(self, registry: Registry, tags: tuple[str, ...], *, force: bool = False) -> tuple[str, bool]:
        """Have the content in the registry, under these tags too.

        Returns:
            The image's digest, and whether it was built now.

        Raises:
            ImageNotBuilt: the script failed, and has said why.
        """
        found = None if force else registry.find(self.content)
        if found is not None:
            manifest = registry.manifest(found) if tags else {}
            for tag in tags:
                registry.tag(manifest, tag)
            return found, False
        variables = self.push_variables(registry, tags)
        self._log_in(registry)
        self._run(variables)
        return registry.digest(variables["TAG"].partition(" ")[0]), True

    def _log_in(self, registry: Registry) -> None:
        docker = shutil.which("docker")
        if docker is None:
            return  # The script says so, and what to do.
        host = registry.uri.partition("/")[0]
        done = subprocess.run(
            [docker, "login", "--username", "AWS", "--password-stdin", host],
            input=registry.password(),
            stdout=_STANDARD_ERROR,
            text=True,
            check=False,
        )
        if done.returncode:
            raise errors.ImageNotBuilt(f"Docker did not log in to {host}, as said above.")

    def _run(self, variables: Mapping[str, str]) -> None:
        done = subprocess.run(
            [str(self.root / "container" / "image.sh")],
            cwd=self.root,
            env={**os.environ, "IMAGE": "", "TAG": "", **variables},
            stdout=_STANDARD_ERROR,
            check=False,
        )
        if done.returncode:
            raise errors.ImageNotBuilt("container/image.sh failed, as said above.")
