"""What people wrote, before an agent reads it."""

from __future__ import annotations

import unicodedata

import regex
from hypothesis import given
from hypothesis import strategies as st

from pullwright.text import one_line, plain_line, printable, slug, visible


def test_what_github_hides_is_removed() -> None:
    """HTML comments go, also unclosed ones and those that appear when another one is removed."""
    assert visible("a <!-- hidden\nover lines --> b") == "a  b"
    assert visible("a <!-- for ever") == "a"
    assert visible("<!-<!-- x -->- hidden --> b") == "b"


def test_invisible_characters_are_removed() -> None:
    """Zero-width, bidi, tag and control characters and selectors go; line breaks, umlauts and emoji stay."""
    assert visible("a\u200bb\u202ec\U000e0041d\x00e") == "abcde"
    assert visible("ä\r\n☂\ufe0f\tx") == "ä\n☂\tx"


@given(st.text())
def test_nothing_hidden_survives(text: str) -> None:
    """Whatever is given, no comment begins in it and no format character is left."""
    seen = visible(text)
    assert "<!--" not in seen
    assert not [one for one in seen if unicodedata.category(one) == "Cf"]
    assert visible(seen) == seen


def test_every_ignorable_character_is_removed() -> None:
    """Nothing that Unicode calls ignorable is left, and no control character: `regex` has Unicode's table."""
    everything = "".join(chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000)
    unseen = regex.compile(r"[\p{Default_Ignorable_Code_Point}\p{Cc}--[\n\t]]", regex.V1)
    assert len(unseen.findall(everything)) > 4_200
    assert unseen.findall(printable(everything)) == []
    assert unseen.findall(visible(everything)) == []


def test_what_can_be_seen_is_not_removed() -> None:
    """Letters, marks, numbers, punctuation, symbols and spaces stay, but for five that have no shape."""
    seen = regex.compile(r"[\p{L}\p{M}\p{N}\p{P}\p{S}\p{Zs}--\p{Default_Ignorable_Code_Point}]", regex.V1)
    everything = "".join(chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000)
    kept = set(printable(everything))
    gone = [one for one in seen.findall(everything) if one not in kept]
    assert sorted(gone) == ["\u2800", "\U00013441", "\U00013442", "\U00016fe4", "\U0001d159"]


def test_titles_are_plain_text() -> None:
    """GitHub shows a title as it is: what would be a comment in Markdown is none there."""
    assert (
        plain_line("Fix `<!-- a -->`\r\n\u200bnow\u2028 please\U000e0041", 80)
        == "Fix `<!-- a -->` now please"
    )


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
