"""Sessions page by page: each goes on where the queries of the one before it ended."""

from __future__ import annotations

import base64
import heapq
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from pullwright_cli.errors import CliError
from pullwright_cli.listing import as_row, items, partitions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pullwright_cli.listing import Filter, Partition
    from pullwright_cli.session import Deployed

MOST_READ = 500
"""Sessions that one page looks at. Where few of them fit, the next page looks further."""

Places = dict[str, tuple[str, str]]
"""For each partition, `pk` and sort key of the last session that was looked at."""


class Page(NamedTuple):
    """Sessions, the last sign of life first, those of one repository by their beginning.

    Attributes:
        cursor: of the next page; empty on the last one.
        read: how many sessions were looked at.
    """

    rows: list[dict[str, Any]]
    cursor: str
    read: int


def page(stack: Deployed, wanted: Filter, cursor: str = "") -> Page:
    """Return the sessions after a cursor.

    Raises:
        CliError: the cursor is none.
    """
    places = decode(cursor) if cursor else {}
    streams = [_stream(stack, partition, wanted, places) for partition in partitions(wanted)]
    rows: list[dict[str, Any]] = []
    read = 0
    for order, partition, item in heapq.merge(*streams, key=lambda entry: entry[0], reverse=True):
        if len(rows) == wanted.limit or read == MOST_READ:
            return Page(rows, encode(places), read)
        read += 1
        places[partition.value] = (item["pk"], order)
        row = as_row(item)
        if wanted.lets(row):
            rows.append(row)
    return Page(rows, "", read)


def encode(places: Places) -> str:
    """Return a cursor that fits into an address."""
    return base64.urlsafe_b64encode(json.dumps(places).encode()).decode().rstrip("=")


def decode(cursor: str) -> Places:
    """Read a cursor.

    Raises:
        CliError: it is none.
    """
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        found = {str(name): (pk, order) for name, (pk, order) in json.loads(text).items()}
    except (ValueError, AttributeError, TypeError, RecursionError):
        found = {"": (None, None)}
    if not all(isinstance(part, str) and part for place in found.values() for part in place):
        raise CliError("after: this address does not name a page: go back to the first one", 2)
    return found


def _stream(
    stack: Deployed, partition: Partition, wanted: Filter, places: Places
) -> Iterator[tuple[str, Partition, dict[str, Any]]]:
    # One more than a page may show of it, so that it is read in one query and says whether there are more.
    for item in items(stack, partition, wanted, wanted.limit + 1, places.get(partition.value)):
        yield str(item[partition.order]), partition, item
