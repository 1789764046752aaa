"""Links are followed as those who check the branch out would follow them.

The oracle is the running kernel: the links are made on a disk, and `openat2` with `RESOLVE_BENEATH` says
whether a step of the way leaves the folder. https://man7.org/linux/man-pages/man2/openat2.2.html
"""

from __future__ import annotations

import ctypes
import ntpath
import os
import tempfile
from errno import ELOOP, EXDEV
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from runner.git.layout import Layout, Way
from runner.git.links import find_strays, problem
from tests.unit.branch_kit import a_layout

_OPENAT2 = 437
_RESOLVE_BENEATH = 0x08
_NAMES = ("a", "b", "c", "d")
_FOLDERS = ("", "a", "a/b", "c")


class _How(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


def kernel_says(root: Path, path: str) -> int:
    """Return the error with which the kernel ends at a path below a folder; 0 if it arrives."""
    libc = ctypes.CDLL(None, use_errno=True)
    how = _How(os.O_PATH, 0, _RESOLVE_BENEATH)
    folder = os.open(root, os.O_PATH)
    try:
        found = libc.syscall(_OPENAT2, folder, os.fsencode(path), ctypes.byref(how), ctypes.sizeof(how))
        if found >= 0:
            os.close(found)
            return 0
        return ctypes.get_errno()
    finally:
        os.close(folder)


@st.composite
def trees(draw: st.DrawFn) -> dict[str, str]:
    """Links by path, in a tree with the folders `a/b` and `c`, to one another, to folders and to nothing."""
    steps = st.lists(st.sampled_from(("..", "..", ".", "", *_NAMES)), min_size=1, max_size=6)
    targets = steps.map("/".join).filter(bool)
    places = st.tuples(st.sampled_from(_FOLDERS), st.sampled_from(("x", "y", "z", *_NAMES)))
    paths = places.map(lambda place: "/".join(filter(None, place))).filter(lambda path: path not in _FOLDERS)
    return draw(st.dictionaries(paths, targets, min_size=1, max_size=6))


def clear_of_windows(path: str, target: str) -> bool:
    """Return whether a link stays inside for Windows too, which takes `..` off the text: `ntpath` says so."""
    folder = path.rpartition("/")[0]
    return not ntpath.normpath(f"{folder}/{target}" if folder else target).startswith("..")


@given(trees())
@example({"b": "a/b", "x": "b/../.."})
@example({"b": "c", "a/b/x": "../../b/../.."})
@example({"x": "y", "y": "x"})
@example({"a/up": "..", "x": "a/up/.."})
def test_links_go_where_the_kernel_goes(links: dict[str, str]) -> None:
    """Whatever the kernel takes outside is refused; what arrives inside is not."""
    with tempfile.TemporaryDirectory() as made:
        root = Path(made)
        (root / "a/b").mkdir(parents=True)
        (root / "c").mkdir()
        for path, target in links.items():
            (root / path).symlink_to(target)
        layout = a_layout("a/b/file", "c/file", links=links)
        for path, target in links.items():
            if target.startswith("/"):
                assert problem(layout, path) == Way.OUTSIDE.value
                continue
            said = kernel_says(root, path)
            if said == EXDEV:
                assert problem(layout, path) is not None, (path, links)
            elif said == ELOOP:
                assert problem(layout, path) in {way.value for way in Way}, (path, links)
            elif said == 0 and clear_of_windows(path, target):
                assert problem(layout, path) is None, (path, links)


@pytest.mark.parametrize(
    "links",
    [
        {"x": "/etc/passwd"},
        {"x": ".."},
        {"a/x": "../../y"},
        {"b": "a/deep", "x": "missing/../../y"},
        {"b": ".", "a/x": "../b/.."},
        {"b": "a", "x": "B/../.."},
        {"up": "a/..", "x": "UP/.."},
        {"d\u00e9j\u00e0": ".", "a/b/x": "../../de\u0301ja\u0300/.."},
        {"x": "..\\..\\y"},
        {"x": "C:"},
        {"x": "c:/Windows"},
        {"x": "//server/share"},
        {"x": "\\\\server\\share"},
        {"x": "NUL"},
        {"x": "a/con.txt"},
        {"x": "a/.. /../y"},
        {"x": "..."},
        {"x": ".git/config"},
        {"x": ".git"},
        {"x": ".GIT/hooks"},
        {"x": "git~1/config"},
        {"x": ".g\u200cit/config"},
        {"x": ".git./config"},
        {"x": ".git::$INDEX_ALLOCATION/config"},
        {"x": "a/.git/config"},
        {"x": "a/../.git"},
        {"up": "a/..", "x": "up/.git/config"},
        {"a/up": "..", "x": "a/up/.git"},
        {"x": "a\u202ecod.exe"},
        {"x": ""},
        {"x": "a//..//.."},
        {"x": "./../y"},
    ],
)
def test_no_system_is_led_out_of_the_repository(links: dict[str, str]) -> None:
    """Not by case, composition, Windows' forms, or what a file system takes for git's folder."""
    layout = a_layout("a/b/file", links=links)
    assert "x" in {path.rpartition("/")[2] for path in find_strays(a_layout(), layout)}


@pytest.mark.parametrize(
    "links",
    [
        {"x": "a/b/file"},
        {"x": "a/b/"},
        {"x": "a//b/./file"},
        {"a/x": "../README.md"},
        {"a/b/x": ".."},
        {"a/up": ".."},
        {"x": "not/there/yet"},
        {"x": ".github/CODEOWNERS"},
        {"x": ".gitignore"},
        {"x": "y", "y": "a"},
        {"CLAUDE.md": "AGENTS.md"},
        {"node_modules/.bin/tsc": "../typescript/bin/tsc"},
        {"x": "my folder/file.txt"},
        {"x": "r\u00e9sum\u00e9.txt"},
    ],
)
def test_links_inside_pass(links: dict[str, str]) -> None:
    """What stays inside for everybody is nothing to refuse."""
    assert find_strays(a_layout(), a_layout("a/b/file", "README.md", links=links)) == {}


def test_a_link_nobody_touched_is_led_astray_by_a_new_one() -> None:
    """The whole tree is looked at: here the branch's own link turns around by what is put in its way."""
    old = a_layout("a/b/c/file", links={"x": "a/b/c/../../y"})
    new = a_layout("file", links={"x": "a/b/c/../../y", "a": "."})
    assert find_strays(old, old) == {}
    assert find_strays(old, a_layout("a/b/file", links={"x": "a/b/c/../../y", "a/b/c": "../.."})) == {
        "x": Way.OUTSIDE.value
    }
    assert find_strays(old, new) == {}


def test_a_stray_link_that_the_branch_has_stops_nobody() -> None:
    """It was there before, and is the same: the agent is not to blame."""
    old = a_layout("file", links={"x": "/etc/hosts"})
    assert find_strays(old, a_layout("file", "new", links={"x": "/etc/hosts"})) == {}
    assert find_strays(old, a_layout("file", links={"x": "/etc/passwd"})) == {"x": Way.OUTSIDE.value}


def test_links_that_double_at_each_step_end() -> None:
    """A tower of links, each of which leads twice through the one below, is refused at once."""
    tower = {f"l{n}": f"l{n - 1}/../l{n - 1}" for n in range(1, 60)}
    layout = Layout({}, {**tower, "l0": "."})
    assert problem(layout, "l59") is not None
