"""Hosts of previews: whatever a branch is called, its host is a name that everybody takes."""

from __future__ import annotations

import re

import idna
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pullwright.previewing.hosts import host_label

LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
BRANCHES = st.one_of(st.text(max_size=250), st.from_regex(r"[a-z0-9./_-]{1,250}", fullmatch=True))


@given(BRANCHES, st.booleans())
@example("xn--mnchen-3ya", False)  # noqa: FBT003 - hypothesis takes arguments by place
@example("ab--cd", False)  # noqa: FBT003 - as above
@example("\ud800", False)  # noqa: FBT003 - as above
@example("", False)  # noqa: FBT003 - as above
def test_a_label_is_one_that_the_dns_takes(text: str, is_taken: bool) -> None:  # noqa: FBT001 - as above
    """It has the form of RFC 1035 and 1123, and PyPI's `idna` (RFC 5891) takes it and changes nothing."""
    label = host_label(text, is_taken=is_taken)
    assert LABEL.fullmatch(label)
    assert idna.encode(label).decode() == label


@given(BRANCHES, BRANCHES)
@example("feature/a", "feature-a")
@example("日本", "中国")
@example("a" * 63, "a" * 64)
def test_texts_that_meet_part_by_their_hash(first: str, second: str) -> None:
    """Where two texts have one label, the second has another one as soon as it says so."""
    if first != second and host_label(first) == host_label(second):
        assert host_label(first) != host_label(second, is_taken=True)
        assert host_label(first, is_taken=True) != host_label(second, is_taken=True)


@given(BRANCHES)
def test_a_label_is_its_own_label(text: str) -> None:
    """A name that is valid already is not changed."""
    label = host_label(text)
    assert host_label(label) == label


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("uat-main", "uat-main"),
        ("uat-claude/42-Fix_it.now", "uat-claude-42-fix-it-now"),
        ("uat-Änderung", "uat-anderung"),
        ("uat-/--..--/", "uat"),
        (
            "implement-7-0b1e5a3c-1d2e-4f5a-8b9c-0d1e2f3a4b5c",
            "implement-7-0b1e5a3c-1d2e-4f5a-8b9c-0d1e2f3a4b5c",
        ),
    ],
)
def test_a_label_is_read_as_the_name_that_it_stands_for(text: str, label: str) -> None:
    """Letters are small, accents gone, and everything else is one dash."""
    assert host_label(text) == label


@pytest.mark.parametrize("text", ["uat-" + "b" * 200, "uat-修正", "uat-ветка", "a" * 62 + "/" + "b"])
def test_what_is_lost_is_in_the_hash(text: str) -> None:
    """A name that is cut, or that ASCII has no letters for, ends with eight characters that only it has."""
    assert re.search(r"-[0-9a-f]{8}$", host_label(text))
    assert host_label(text)[:-8] == host_label(text + "x")[:-8] or len(text) < 63
    assert host_label(text) != host_label(text + "ы")
