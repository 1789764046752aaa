"""Not a defect: functions that have the same code share one unpacked copy of it.

All functions of a template's `CodeUri` have one archive. LocalStack unpacked it once for each function, and
each function then compiled all that it imports when it was first started.
"""

import base64
import tempfile
import threading
from pathlib import Path
from typing import Any

from localstack.services.lambda_.invocation.lambda_models import S3Code

_ONE_AT_A_TIME = threading.Lock()


def _location(code: Any) -> Path:
    digest = base64.b64decode(code.code_sha256).hex()
    return Path(tempfile.gettempdir(), "lambda", code.s3_bucket, digest, "code")


def apply() -> None:
    """Unpack by content; a copy stays for the next function that has the same."""
    prepare = S3Code.prepare_for_execution

    def prepare_for_execution(self: Any) -> None:
        with _ONE_AT_A_TIME:
            prepare(self)

    S3Code.get_unzipped_code_location = _location
    S3Code.prepare_for_execution = prepare_for_execution
    S3Code.destroy_cached = lambda _self: None
