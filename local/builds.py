"""Builds of the template, shared by all stacks of this checkout."""

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from local import packages
from local.layout import ROOT, TOOLS
from local.sam import content_of

FOLDER = TOOLS / "builds"
KEPT = 2
"""How many of them: that of the sources as they stand, and the one before."""


def provide(name: str, target: Path, build: Callable[[Path], None], shared: Path = FOLDER) -> None:
    """Put a copy of a build into a folder, and build first if no stack has done so yet.

    Args:
        name: the same for the same sources and parameters.
        target: the folder; what it held is removed.
        build: builds into a folder.
    """
    shared.mkdir(parents=True, exist_ok=True)
    made, done = shared / name / "app", shared / name / "done"
    # Stacks that start at the same time wait for the one that builds.
    with (shared / "lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            shutil.rmtree(made.parent, ignore_errors=True)
            build(made)
            packages.unite(made / "template.yaml", content_of)
            packages.archives(made / "template.yaml", content_of)
        done.touch()
        os.utime(made.parent)
        builds = sorted((it for it in shared.iterdir() if it.is_dir()), key=lambda it: it.stat().st_mtime)
        for old in builds[:-KEPT]:
            shutil.rmtree(old)
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(made, target)
    # It names the state machines' files by relative paths.
    template = target / "template.yaml"
    here, there = (os.path.relpath(ROOT, folder.resolve()) for folder in (made, target))
    text = template.read_text(encoding="utf-8")
    template.write_text(text.replace(f"Uri: {here}/", f"Uri: {there}/"), encoding="utf-8")
