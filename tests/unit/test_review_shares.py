"""No file of a pull request keeps another one from being read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.review.shares import CUT, share_of, shorten

if TYPE_CHECKING:
    from pathlib import Path


def part(name: str, lines: int) -> str:
    """Return what a difference says about a new file."""
    return f"diff --git a/{name} b/{name}\n@@ -0,0 +1,{lines} @@\n" + "+ diff --git x\n" * lines


@pytest.mark.parametrize("order", [("long", "short"), ("short", "long")])
def test_the_long_file_is_cut_and_the_short_one_stays(tmp_path: Path, order: tuple[str, str]) -> None:
    """Wherever they stand; lines of the files that look like a heading are none."""
    parts = {"long": part("a.txt", 10_000), "short": part("b.py", 3)}
    path = tmp_path / "diff.patch"
    path.write_text("".join(parts[name] for name in order))
    assert shorten(path, 2_000)
    text = path.read_text()
    assert parts["short"] in text
    assert text.count(CUT) == 1
    assert len(text.encode()) <= 2_000 + len(CUT.encode())
    assert not shorten(path, 10_000)
    assert path.read_text() == text


@given(
    st.lists(st.integers(min_value=0, max_value=500), min_size=1), st.integers(min_value=0, max_value=2_000)
)
def test_shares_use_the_room_and_never_more(lengths: list[int], most: int) -> None:
    """What is cut could not have been longer by one byte for each part."""
    share = share_of(lengths, most)
    assert sum(min(length, share) for length in lengths) <= most or sum(lengths) <= most
    if sum(lengths) > most:
        assert sum(min(length, share + 1) for length in lengths) > most
