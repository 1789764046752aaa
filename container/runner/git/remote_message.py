"""What GitHub says to git beside the protocol, for the people who read of it."""

from __future__ import annotations

import re

from pullwright.text import one_line

LONGEST = 400
# Of the lines that GitHub adds, those which say no more than the protocol's own reason does.
_HEADINGS = re.compile(
    r"^(?:error: )?(?:GH\d+: .*(?:violations found|update failed)|Review all repository rules)"
)
_MARK = "remote:"


def find_remote_message(errors: str) -> str:
    """GitHub's sentences, on one line and of bounded length; empty if it said nothing.

    Args:
        errors: standard error of a git command, where they stand behind `remote:`.
    """
    lines = [line.removeprefix(_MARK).strip() for line in errors.splitlines() if line.startswith(_MARK)]
    words = " ".join(line.removeprefix("- ") for line in lines if line and not _HEADINGS.match(line))
    return one_line(words, LONGEST).rstrip(".")
