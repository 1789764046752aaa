"""Where the command `pullwright` begins, and `python -m pullwright_cli`."""

import sys

INTERRUPTED = 130


def main() -> None:
    """Run the command; Ctrl-C ends it without a traceback, also while its modules are being imported."""
    try:
        from pullwright_cli.app import main as run  # noqa: PLC0415 - it takes a quarter of a second

        run()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
