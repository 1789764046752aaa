"""Small parts of the stand-in: failures on order, Markdown, node ids, answers without an answer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from github_standin.declaration import Declaration
from github_standin.links import node_id, parse_node_id
from github_standin.web.markdown import render
from standin.faults import Fault, Faults

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_a_fault_strikes_from_the_nth_call_on_so_often() -> None:
    """It waits for its turn, strikes as often as it was told, and no more."""
    faults = Faults()
    faults.replace([Fault(method="POST", path_regex="/pulls$", status=502, nth=2, times=2)])
    struck = [faults.strike("POST", "/repos/o/r/pulls") is not None for _ in range(5)]
    assert struck == [False, True, True, False, False]


def test_a_fault_can_mean_a_query_or_a_webhook() -> None:
    """Path and query are searched together too, and only a webhook's own method means webhooks."""
    faults = Faults()
    faults.replace([Fault(path_regex=r"service=git-receive-pack$", drop=True, times=None)])
    assert faults.strike("GET", "/o/r.git/info/refs", "service=git-receive-pack")
    assert not faults.strike("GET", "/o/r.git/info/refs", "service=git-upload-pack")
    faults.replace([Fault(path_regex=".", status=500, times=None)])
    assert not faults.strike("WEBHOOK", "issues.opened")
    faults.replace([Fault(method="WEBHOOK", path_regex=r"^issues\.", drop="vanish")])
    assert faults.strike("WEBHOOK", "issues.opened")


def test_a_fault_must_do_something() -> None:
    """A fault without status, delay, hold or drop is refused, and so is a webhook that is held."""
    with pytest.raises(ValidationError, match="one of status, delay, hold and drop"):
        Fault(path_regex="x")
    with pytest.raises(ValidationError, match="hold is not for webhooks"):
        Fault(method="WEBHOOK", path_regex="x", hold=True)


@pytest.mark.parametrize(
    "let_go", [lambda faults: faults.release("/pulls$"), lambda faults: faults.replace([])]
)
def test_what_is_held_goes_on_when_it_is_released(let_go: Callable[[Faults], object]) -> None:
    """It waits until then, or until other failures are ordered; later calls do not wait."""
    faults = Faults()
    faults.replace([Fault(path_regex="/pulls$", hold=True, times=None)])

    async def hold() -> None:
        fault = faults.strike("GET", "/repos/o/r/pulls")
        assert fault is not None
        waiting = asyncio.ensure_future(fault.wait())
        await asyncio.sleep(0)
        assert not faults.release("/issues$")
        assert not waiting.done()
        let_go(faults)
        await waiting

    asyncio.run(hold())
    assert faults.strike("GET", "/repos/o/r/pulls") is None


@pytest.mark.parametrize("number", [1, 2**31, 2**53 + 1])
def test_node_ids_are_opaque_and_come_back(number: int) -> None:
    """What was made into a node id is found in it again; anything else is not."""
    assert parse_node_id(node_id("PR", number)) == ("PR", number)
    assert parse_node_id(f"PR_{number}") is None


@pytest.mark.parametrize(
    ("text", "there", "gone"),
    [
        ("a <!-- pullwright:tracking --> b", "a", "tracking"),
        ("<!-- open\n\nstill hidden", "", "hidden"),
        ("<img src=x onerror=alert(1)>", '<a href="x"', "onerror"),
        ("<script>alert(1)</script>", "&lt;script", "<script"),
        ("<details onclick=x>", "<details>", "onclick"),
        ("[a](javascript:x)", ">a</a>", "javascript"),
        ("![a](https://example.invalid/x.png)", '<a href="https://example.invalid/x.png"', "<img"),
        ("<details><summary>s</summary>", "<details><summary>", "&lt;"),
        ("- [x] done", 'type="checkbox"', "[x]"),
    ],
)
def test_markdown_shows_text_and_runs_nothing(text: str, there: str, gone: str) -> None:
    """Hidden comments are hidden, harmless elements work, and everything else is text or gone."""
    html = render(text)
    assert there in html
    assert gone not in html


def test_without_a_declaration_an_installation_may_read_metadata_alone() -> None:
    """It is as on GitHub for an App that asks for nothing."""
    assert Declaration().model_dump() == {"permissions": {"metadata": {"access": "read"}}, "events": {}}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "Invalid JSON"),
        ('{"permissions": {"isues": {"access": "write"}}, "events": {}}', "GitHub has no permission isues"),
        ('{"permissions": {"issues": {"access": "all"}}, "events": {}}', "permissions.issues.access"),
        ('{"permisions": {}}', "permisions"),
    ],
)
def test_a_wrong_declaration_names_its_problem(tmp_path: Path, text: str, problem: str) -> None:
    """What the file has wrong is said, with the field."""
    path = tmp_path / "permissions.json"
    path.write_text(text)
    with pytest.raises(ValidationError, match=problem):
        Declaration.read(path)
