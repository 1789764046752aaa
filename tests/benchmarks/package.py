"""How large the functions' package is that `sam build` made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.benchmarks.figures import Figure, Mark, Section

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_TITLE = "Functions' package"
_MEGABYTE = 1_000_000
_LIMIT = 30
# Lambda brings these.
_OF_LAMBDA = ("boto3", "botocore", "s3transfer")


def measure(builds: Iterable[Path]) -> Section:
    """Measure the largest package of the newest build."""
    made = [build for build in builds if (build / "template.yaml").exists()]
    if not made:
        return Section(_TITLE, "There is no build: run `sam build` first.")
    newest = max(made, key=lambda build: (build / "template.yaml").stat().st_mtime)
    packages = [path for path in newest.glob("*") if (path / "pullwright").is_dir()]
    sizes = {path.name: _size(path) for path in packages}
    name = max(sizes, key=lambda name: sizes[name])
    figure = Figure(f"{name}, unzipped", sizes[name] / _MEGABYTE, "MB", mark=Mark(_LIMIT))
    return Section(
        _TITLE,
        "All files of the largest package of the newest build, without the AWS SDK that Lambda brings.",
        (figure,),
    )


def _size(package: Path) -> int:
    return sum(
        path.stat().st_size
        for path in package.rglob("*")
        if path.is_file() and not path.relative_to(package).parts[0].startswith(_OF_LAMBDA)
    )
