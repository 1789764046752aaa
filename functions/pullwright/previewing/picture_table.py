"""The table of a preview's screenshots in its comment."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

from pullwright.effects import inert
from pullwright.markdown import code, inline

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST = 65_000
"""Characters of a comment; GitHub takes 65,536."""
_WIDTH = 420
_SAFE = "/?&=%:;,@!$*+~-._"


@dataclass(frozen=True, slots=True)
class Column:
    """One preview's pictures.

    Attributes:
        heading: whose pictures these are, at the top of the column.
        addresses: of the pictures, by path.
        problems: why there is no picture, by path.
    """

    heading: str
    addresses: dict[str, str] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)

    def cell(self, path: str) -> str:
        """Return what stands in the column for a path."""
        if (address := self.addresses.get(path)) is not None:
            return f'<img src="{html.escape(address)}" width="{_WIDTH}" alt="Screenshot">'
        return inline(self.problems.get(path, ""), 300)


def render_screenshots(columns: Sequence[Column], *, url: str, preview_id: str) -> str:
    """Return the part of the comment with the pictures.

    Args:
        columns: the preview's own first; which pages there are goes by it.
        url: where the preview is served; what each path is added to.
    """
    own = columns[0]
    if not own.addresses and len(set(own.problems.values())) <= 1:
        why = next(iter(own.problems.values()), "they did not come in time")
        return f"No screenshots: {inline(why, 300)}."
    paths = [*own.addresses, *own.problems]
    rows = [
        "| Page | " + " | ".join(inline(column.heading, 100) for column in columns) + " |",
        "|---" * (len(columns) + 1) + "|",
        *(
            f"| {_link(url, path)} | " + " | ".join(column.cell(path) for column in columns) + " |"
            for path in paths
        ),
    ]
    lifetime = (
        "The pictures' own addresses end within hours; GitHub keeps showing what it has fetched by then. "
        f"{code(f'pullwright preview screenshots {preview_id}')} fetches them later too."
    )
    return "\n".join(rows) + f"\n\n{lifetime}"


def _link(url: str, path: str) -> str:
    shown = inert(html.escape(path, quote=False)).replace("|", "&#124;").replace("`", "&grave;")
    return f'<a href="{html.escape(url + quote(path, safe=_SAFE))}"><code>{shown}</code></a>'
