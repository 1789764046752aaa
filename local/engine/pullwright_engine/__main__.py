"""`python -m pullwright_engine`: LocalStack with this plugin, on an interpreter that it was not made for."""

import os

from pullwright_engine.shims import lock_annotation, uuid5_of_bytes


def main() -> None:
    """Prepare the interpreter and run LocalStack until a signal ends it."""
    lock_annotation()
    uuid5_of_bytes()

    # Both import LocalStack, whose settings are read from the environment at import.
    from pullwright_engine.faked_types import FAKED_TYPES  # noqa: PLC0415

    os.environ["CFN_IGNORE_UNSUPPORTED_RESOURCE_TYPES"] = "0"
    os.environ["CFN_IGNORE_UNSUPPORTED_TYPE_CREATE"] = ",".join(sorted(FAKED_TYPES))
    os.environ["CFN_IGNORE_UNSUPPORTED_TYPE_UPDATE"] = ",".join(sorted(FAKED_TYPES))

    from localstack.runtime.main import main as run  # noqa: PLC0415

    run()


if __name__ == "__main__":
    main()
