"""The table of docs/devbox.md: what was measured takes the place of what had to be."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pullwright_cli.errors import CliError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# `needs AWS: … (name)`, or what an earlier measurement has put there.
_CELL = re.compile(r"(?<=\| )(?:needs AWS|measured): [^|]* \((?P<name>[a-z-]+)\)(?= \|$)", re.MULTILINE)


def write(page: Path, measured: Mapping[str, str]) -> None:
    """Put values into the rows of a page that name their measurements.

    Args:
        measured: values by the name of the measurement.

    Raises:
        CliError: the page cannot be read, or misses a row.
    """
    try:
        text = page.read_text(encoding="utf-8")
    except OSError as error:
        raise CliError(f"--write: {page} cannot be read: {error.strerror}", 2) from None
    if missing := sorted(set(measured) - {found["name"] for found in _CELL.finditer(text)}):
        raise CliError(f"--write: {page} has no row for {', '.join(missing)}; give docs/devbox.md", 2)

    def cell(found: re.Match[str]) -> str:
        value = measured.get(found["name"])
        return found[0] if value is None else f"measured: {value.replace('|', '/')} ({found['name']})"

    page.write_text(_CELL.sub(cell, text), encoding="utf-8")
