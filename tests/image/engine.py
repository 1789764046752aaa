"""buildah and podman with a storage of their own, which leaves nothing on the machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

PROGRAMS = ("buildah", "podman", "runc", "debootstrap")
_CONFIGURATION = """\
[containers]
# As many as a machine without its own user namespaces lets a container have.
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
netns = "host"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
"""
_STORAGE = """\
[storage]
driver = "{driver}"
runroot = "{folder}/run"
graphroot = "{folder}/graph"
"""
_LAST_WORDS = 40


class ImageError(Exception):
    """Something is missing or failed; the text says what, and what to do about it."""


@dataclass(frozen=True)
class Engine:
    """Builds and runs containers in a folder."""

    folder: Path

    @classmethod
    @contextmanager
    def open(cls, keep: Path | None = None) -> Iterator[Engine]:
        """Make an engine, and remove all of its containers and images afterwards.

        Args:
            keep: a folder that is used and left as it is afterwards, with its images.
        """
        # Not in /tmp, which may be memory.
        folder = keep or Path(tempfile.mkdtemp(prefix="pullwright-image-", dir="/var/tmp"))
        folder.mkdir(exist_ok=True)
        engine = cls(folder)
        engine._configure()
        try:
            yield engine
        finally:
            engine.run("podman", "rm", "--all", "--force")
            if keep is None:
                engine._discard()

    @property
    def environment(self) -> dict[str, str]:
        """For buildah and podman."""
        return {
            **os.environ,
            "CONTAINERS_STORAGE_CONF": str(self.folder / "storage.conf"),
            "CONTAINERS_CONF": str(self.folder / "containers.conf"),
            "BUILDAH_ISOLATION": "chroot",
        }

    def run(self, *command: str | Path, cwd: Path | None = None) -> str:
        """Run a program to its end.

        Returns:
            What it printed on standard output.

        Raises:
            ImageError: it failed; the text has its last words.
        """
        done = subprocess.run(
            command, cwd=cwd, env=self.environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            said = "\n".join((done.stdout + done.stderr).splitlines()[-_LAST_WORDS:])
            raise ImageError(f"{' '.join(map(str, command))}\nfailed with {done.returncode}:\n{said}")
        return done.stdout

    def start(
        self, image: str, name: str, variables: Mapping[str, str], dropped: Sequence[str]
    ) -> subprocess.Popen[str]:
        """Start a container on the host's network.

        Args:
            variables: its environment; their values reach it through podman's own, not through argv.
            dropped: capabilities that it does not have.
        """
        options = [f"--env={variable}" for variable in variables]
        options += [f"--cap-drop={capability}" for capability in dropped]
        return subprocess.Popen(
            [
                "podman",
                "run",
                "--rm",
                "--no-healthcheck",
                "--network=host",
                f"--name={name}",
                *options,
                image,
            ],
            env={**self.environment, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    @contextmanager
    def files(self, image: str) -> Iterator[Path]:
        """Give an image's files as a folder for a while."""
        try:
            yield Path(self.run("podman", "image", "mount", image).strip())
        finally:
            self.run("podman", "image", "unmount", image)

    def _configure(self) -> None:
        (self.folder / "containers.conf").write_text(_CONFIGURATION)
        # Where a file system on top of another is not possible, each layer is a whole copy.
        for driver in ("overlay", "vfs"):
            (self.folder / "storage.conf").write_text(_STORAGE.format(driver=driver, folder=self.folder))
            try:
                self.run("buildah", "images")
            except ImageError:
                if driver == "vfs":
                    raise
                shutil.rmtree(self.folder / "graph", ignore_errors=True)
            else:
                return

    def _discard(self) -> None:
        self.run("podman", "rmi", "--all", "--force")
        # The storage mounts its folder on itself, and keeps it so.
        subprocess.run(["umount", self.folder / "graph" / "overlay"], check=False, stderr=subprocess.DEVNULL)
        shutil.rmtree(self.folder)


def need_programs() -> None:
    """Install what is missing, or say so.

    Raises:
        ImageError: it cannot be installed from here.
    """
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if os.geteuid() != 0:
        raise ImageError(
            "Building a container without a Docker engine needs root here: run `sudo make image-test`"
            + (f", after apt-get install {' '.join(missing)}." if missing else ".")
        )
    if missing:
        install(missing)


def install(packages: Sequence[str]) -> None:
    """Install Debian's packages.

    Raises:
        ImageError: they cannot be had from here.
    """
    names = " ".join(packages)
    if shutil.which("apt-get") is None:
        raise ImageError(f"Missing: {names}. Install them with your system's package manager.")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (("update", "-qq"), ("install", "-qq", "--yes", "--no-install-recommends", *packages)):
        done = subprocess.run(["apt-get", *command], env=quiet, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ImageError(f"apt-get could not install {names}:\n{done.stderr.strip()[-600:]}")
