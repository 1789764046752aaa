"""Takes out of the installed packages what the runner never reads: `python slim.py FOLDER`.

botocore describes every service of AWS in some 28 MB; the runner calls four.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

SERVICES = frozenset({"bedrock-runtime", "dynamodb", "s3", "sts"})
"""Services that the runner makes clients for, by the names that botocore has for their folders."""


def slim(packages: Path) -> None:
    """Remove the descriptions of all other services, and the packages' own programs."""
    for package in ("botocore", "boto3"):
        for service in (packages / package / "data").iterdir():
            if service.is_dir() and service.name not in SERVICES:
                shutil.rmtree(service)
    # Programs that no one calls, with the build's interpreter in their first line.
    shutil.rmtree(packages / "bin", ignore_errors=True)


if __name__ == "__main__":
    slim(Path(sys.argv[1]))
