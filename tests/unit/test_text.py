"""What people wrote, before an agent reads it."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from pullwright.text import one_line, slug, visible


def test_what_github_hides_is_removed() -> None:
    """HTML comments go, also unclosed ones and those that appear when another one is removed."""
    assert visible("a <!-- hidden\nover lines --> b") == "a  b"
    assert visible("a <!-- for ever") == "a"
    assert visible("<!-<!-- x -->- hidden --> b") == "b"


def test_invisible_characters_are_removed() -> None:
    """Zero-width, bidi, tag and control characters go; line breaks, umlauts and emoji stay."""
    assert visible("a\u200bb\u202ec\U000e0041d\x00e") == "abcde"
    assert visible("ä\r\n☂️\tx") == "ä\n☂️\tx"


@given(st.text())
def test_nothing_hidden_survives(text: str) -> None:
    """Whatever is given, no comment begins in it and no format character is left."""
    seen = visible(text)
    assert "<!--" not in seen
    assert not [one for one in seen if unicodedata.category(one) == "Cf"]
    assert visible(seen) == seen


def test_one_line_is_short() -> None:
    """A title has one line and ends with an ellipsis when it was longer."""
    assert one_line("a\n b   c", 20) == "a b c"
    assert one_line("abcdefgh", 5) == "abcd…"


@given(st.text())
def test_a_slug_fits_a_branch(text: str) -> None:
    """A slug has lower-case words with dashes between, and never nothing."""
    name = slug(text)
    assert 0 < len(name) <= 40
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert name == name.strip("-")
