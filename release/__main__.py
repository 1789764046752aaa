"""`python -m release STACK [--to previous|NUMBER]`: list a stack's releases, or make one live."""

import argparse
import sys
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from release.aliases import history, live, move
from release.records import ReleaseError, target

PREVIOUS = "previous"


def _client(service: str) -> Any:
    make: Any = boto3.client  # its overloads want the service's name as a literal
    return make(service)


def _number(text: str) -> int | None:
    if text == PREVIOUS:
        return None
    try:
        return int(text)
    except ValueError:
        raise ReleaseError(
            f"TO: {text!r} is no release. Give its number, or nothing for the one before."
        ) from None


def run(stack: str, to: str | None) -> str:
    """List the releases, or go to one and say where that led.

    Raises:
        ReleaseError: it cannot be done; the text says why.
    """
    releases = history(_client, stack)
    now = live(_client, releases[-1])
    if to is None:
        return "\n".join(
            f"{'*' if release.parts == now else ' '} {release.number:3}  {release.at}  {release.image}"
            for release in releases
        )
    chosen = target(releases, now, _number(to))
    move(_client, chosen)
    return f"Release {chosen.number} of {chosen.at} is live: new sessions begin on it, {chosen.image}"


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m release", description=__doc__)
    parser.add_argument("stack", help="name of the CloudFormation stack")
    parser.add_argument(
        "--to", help="number of a release, or 'previous'; without it, the releases are listed"
    )
    arguments = parser.parse_args()
    try:
        print(run(arguments.stack, arguments.to))
    except (ReleaseError, ClientError, BotoCoreError) as error:
        print(f"release: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
