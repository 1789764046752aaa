"""What an image is made from, as one hash: what was pushed once need not be built again."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_RECIPE = ("container/Dockerfile", "container/image.sh", ".dockerignore")
_LENGTH = 16


def content_tag(root: Path, architecture: str) -> str:
    """Return the tag of the image that a checkout's files make, committed or not.

    Base images are not part of it, as their tags move: `--force` builds anew for those.

    Args:
        architecture: as the template's parameter has it, or `both`.
    """
    digest = hashlib.sha256(architecture.encode())
    for path in sorted(_files(root)):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"\0{path.relative_to(root).as_posix()}\0{content}".encode())
    return f"content-{digest.hexdigest()[:_LENGTH]}"


def _files(root: Path) -> Iterator[Path]:
    """Yield what the builder is sent, and what tells it what to do."""
    lines = (root / ".dockerignore").read_text(encoding="utf-8").splitlines()
    sent = [line.removeprefix("!") for line in lines if line.startswith("!")]
    for name in (*_RECIPE, *sent):
        path = root / name
        for file in path.rglob("*") if path.is_dir() else (path,):
            if file.is_file() and "__pycache__" not in file.parts and file.suffix != ".pyc":
                yield file
