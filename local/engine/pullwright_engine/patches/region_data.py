"""Not a defect: the list of AWS's endpoints is read from disk once.

Each session of boto3 reads this megabyte for itself, and moto makes one or more for every service: a fifth of
the processor time of a deployment.
"""

from functools import cache
from pathlib import Path
from typing import Any

from botocore.loaders import JSONFileLoader

SHARED = ("endpoints", "partitions")
"""Files of which botocore never changes what it has read; it does change descriptions of services."""


def apply() -> None:
    """Remember what these files hold."""
    original = JSONFileLoader.load_file
    shared = cache(lambda path: original(JSONFileLoader(), path))

    def load_file(self: Any, file_path: str) -> Any:
        return shared(file_path) if Path(file_path).name in SHARED else original(self, file_path)

    JSONFileLoader.load_file = load_file  # type: ignore[method-assign] # as patches do
