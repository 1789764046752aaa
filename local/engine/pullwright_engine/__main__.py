"""`python -m pullwright_engine`: LocalStack with this plugin, on an interpreter that it was not made for."""

import gc
import os

from pullwright_engine.faked_types import FAKED_TYPES
from pullwright_engine.shims import lock_annotation, uuid5_of_bytes

GARBAGE_THRESHOLDS = (100_000, 20, 100)
"""How many objects are made before the next search for garbage, see `gc.set_threshold`.

The engine holds millions of objects for as long as it runs. With Python's own 700, searching them took a
third of the processor time of its start and of a deployment.
"""


def main() -> None:
    """Prepare the interpreter and run LocalStack until a signal ends it."""
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    # Before anything imports LocalStack, which reads its settings at import.
    os.environ["CFN_IGNORE_UNSUPPORTED_RESOURCE_TYPES"] = "0"
    os.environ["CFN_IGNORE_UNSUPPORTED_TYPE_CREATE"] = ",".join(sorted(FAKED_TYPES))
    os.environ["CFN_IGNORE_UNSUPPORTED_TYPE_UPDATE"] = ",".join(sorted(FAKED_TYPES))
    lock_annotation()
    uuid5_of_bytes()

    from localstack.runtime.main import main as run  # noqa: PLC0415 - only now is it safe to import

    run()


if __name__ == "__main__":
    main()
