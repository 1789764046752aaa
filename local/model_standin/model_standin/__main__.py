"""`model-standin --port N`: serve the stand-in on 127.0.0.1 until a signal stops it."""

import argparse
from pathlib import Path

import uvicorn

from model_standin.app import build
from model_standin.journal import Journal
from model_standin.library import Library


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(prog="model-standin", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="port on 127.0.0.1")
    parser.add_argument("--scripts", type=Path, help="folder of *.json scripts, loaded at start")
    parser.add_argument("--log", type=Path, help="file that gets one JSON line for each request")
    arguments = parser.parse_args()
    library = Library()
    if arguments.scripts:
        library.load(arguments.scripts)
    # A connection cut on purpose is what uvicorn calls an error; the journal says what happened.
    uvicorn.run(
        build(library, Journal(arguments.log)),
        host="127.0.0.1",
        port=arguments.port,
        log_level="critical",
        timeout_graceful_shutdown=1,
    )


if __name__ == "__main__":
    main()
