"""The npm packages that the webhook is measured beside."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

_SOURCE = Path(__file__).parent / "node"


class NoNodeError(RuntimeError):
    """Node or npm is missing, or npm failed."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the Node processes cannot be measured: {reason}")


def install(folder: Path) -> Path:
    """Install the locked packages, unless they are there.

    Args:
        folder: of the benchmarks, ours to write in.

    Returns:
        Where the programs and their packages are.

    Raises:
        NoNodeError: it could not be done.
    """
    target = folder / "node"
    lock = _SOURCE / "package-lock.json"
    installed = target / "installed-lock.json"
    target.mkdir(parents=True, exist_ok=True)
    for path in _SOURCE.iterdir():
        shutil.copy(path, target)
    if installed.exists() and installed.read_bytes() == lock.read_bytes():
        return target
    for tool in ("node", "npm"):
        if shutil.which(tool) is None:
            raise NoNodeError(f"{tool} is not on PATH")
    installed.unlink(missing_ok=True)
    done = subprocess.run(
        ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=target,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise NoNodeError(f"npm ci exited with {done.returncode}: {done.stderr.strip()[-500:]}")
    shutil.copy(lock, installed)
    return target
