"""The dashboard page by page: each session of a list, and each line of a text, once."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pullwright_cli.dashboard import lists, paging, windows
from pullwright_cli.errors import CliError
from pullwright_cli.listing import Filter
from pullwright_cli.session import Session
from tests.unit.cli_kit import EXECUTION, cloud
from tests.unit.dashboard_kit import NOW, Dashboard, links, record_many, sessions_on

if TYPE_CHECKING:
    from collections.abc import Iterator

MANY = 42


class SHARED:
    """The full dashboard, for properties, which take no fixture of another scope."""

    dashboard: Dashboard


@pytest.fixture(scope="module", autouse=True)
def full() -> Iterator[Dashboard]:
    """Provide a dashboard with many sessions, which no test changes."""
    with cloud() as made:
        dashboard = Dashboard(made)
        record_many(dashboard, MANY)
        SHARED.dashboard = dashboard
        yield dashboard


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {f"s{place:03}" for place in range(MANY)}),
        ("?repo=octo/gears", {f"s{place:03}" for place in range(1, MANY, 2)}),
        ("?status=FAILED", {f"s{place:03}" for place in range(3, MANY, 4)}),
        ("?worker=review", {"s039"}),
        ("?repo=octo/gears&status=QUEUED", set()),
        (
            f"?since={NOW - timedelta(minutes=8, seconds=30):%Y-%m-%dT%H:%M:%S}",
            {f"s{place:03}" for place in range(27)},
        ),
    ],
)
def test_pages_show_every_session_once(
    query: str, expected: set[str], full: Dashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the first to the last page, newest first, by queries of the indexes alone."""
    monkeypatch.setattr(lists, "PAGE", 20)
    full.cloud.queries.clear()
    found = [session for page in links(full, f"/{query}") for session in sessions_on(page)]
    assert sorted(found) == sorted(expected)
    # Three begin at a time.
    times = [int(session[1:]) // 3 for session in found]
    assert times == sorted(times)
    assert {call["call"] for call in full.cloud.queries} == {"Query"}


# Each page is several queries of moto's, which take longer than all else here.
@settings(max_examples=6)
@example(1, MANY, "octo/gears")
@example(MANY, 3, "")
@given(st.integers(5, MANY), st.integers(5, MANY), st.sampled_from(["", "octo/gears"]))
def test_no_size_of_pages_loses_or_repeats_a_session(limit: int, most: int, repository: str) -> None:
    """Also where a page ends before it is full, as it has looked at enough."""
    found, cursor = [], ""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paging, "MOST_READ", most)
        while True:
            page = paging.page(SHARED.dashboard, Filter(repository, limit=limit), cursor)
            found += [row["session"] for row in page.rows]
            cursor = page.cursor
            if not cursor:
                break
    assert sorted(found) == [f"s{place:03}" for place in range(MANY) if place % 2 or not repository]


@settings(max_examples=30)
@example({"repository": ("SESSION#1", "now" * 2_000)})
@given(st.dictionaries(st.text(), st.tuples(st.text(min_size=1), st.text(min_size=1)), min_size=1))
def test_cursors_come_back_as_they_were(places: dict[str, tuple[str, str]]) -> None:
    """Whatever the keys are."""
    assert paging.decode(paging.encode(places)) == places


@given(st.text(min_size=1))
def test_other_cursors_are_refused(text: str) -> None:
    """With the field's name, and no traceback."""
    try:
        paging.decode(text)
    except CliError as error:
        assert str(error).startswith("after: ")  # noqa: PT017 - some texts are cursors


@settings(max_examples=25)
@given(
    st.lists(st.binary(max_size=40).map(lambda part: part.replace(b"\n", b"")), max_size=30),
    st.integers(1, 50),
    st.booleans(),
)
def test_parts_make_up_the_whole(lines: list[bytes], piece: int, ends: bool) -> None:  # noqa: FBT001 - hypothesis
    """Forwards and backwards, in whole lines, whatever is in them and however long they are."""
    content = b"\n".join(lines) + (b"\n" if ends and lines else b"")
    SHARED.dashboard.store("s1", "runner.log", content)
    session = Session(SHARED.dashboard, f"{EXECUTION}s1")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(windows, "PIECE", piece)
        patch.setattr(windows, "_LONGEST_LINE", 60)
        forwards = b""
        window = windows.after(session, "runner.log", 0)
        while window is not None:
            forwards += window.content
            assert window.end >= window.size or window.content.endswith(b"\n")
            window = windows.after(session, "runner.log", window.end) if window.end < window.size else None
        assert forwards == content
        backwards = b""
        window = windows.before(session, "runner.log", None)
        while window is not None:
            backwards = window.content + backwards
            window = windows.before(session, "runner.log", window.start) if window.start else None
        assert backwards == content
