"""Names that deceive people or systems are not pushed.

Oracles: the Unicode data of the package `regex`, and git with `core.protectHFS` and `core.protectNTFS`.
"""

from __future__ import annotations

import subprocess
import sys
import unicodedata
from typing import TYPE_CHECKING

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from pullwright.errors import PushRefused
from runner.git.names import is_git_folder, is_invisible, same
from runner.git.pushable import check
from tests.unit.branch_kit import a_layout, changes_of

if TYPE_CHECKING:
    from pathlib import Path

    from runner.git.layout import Layout

_UNSEEN = regex.compile(r"[\p{Default_Ignorable_Code_Point}\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]")
_SPACE = regex.compile(r"[\p{Zs}--\ ]", regex.VERSION1)
_UNASSIGNED = regex.compile(r"\p{Cn}")


def refused(old: Layout, new: Layout, *edited: str) -> str:
    """Return the sentence of the refusal; empty if there is none."""
    try:
        check(changes_of(old, new, *edited), old, new)
    except PushRefused as error:
        return error.sentence
    return ""


def test_every_code_point_that_nobody_sees_is_known() -> None:
    """All of Unicode: ignorable, control, format, surrogate, private, separators, and what is unassigned."""
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        if _UNSEEN.match(character) or _SPACE.match(character):
            assert is_invisible(character), hex(code)
        # The data of Python's own version may be older: what it does not know is refused.
        elif unicodedata.category(character) != "Cn" and code not in {0x2800, 0x16FE4, 0x1D159}:
            assert not is_invisible(character), hex(code)
        elif _UNASSIGNED.match(character):
            assert is_invisible(character), hex(code)


@pytest.mark.parametrize(
    "path",
    [
        "src/a\u200bpp.py",
        "a\u00adb",
        "\u3164",
        "docs/\u2800.md",
        "a\ufe0f",
        "a\U000e0041",
        "a\ue000",
        "a\u00a0b",
        "a\u2028b",
        "a\udcffb",
        "a\nb",
        "a\x1b[2Kb",
        "a\u202etxt.exe",
        " a",
        "a ",
        "folder /a",
        "a.",
        "folder./a",
        "..a./x",
        "a\\b",
        "C:evil",
        "GITHUB~1/x",
        "PROGRA~1.TXT",
    ],
)
def test_names_that_deceive_are_refused(path: str) -> None:
    """The sentence names the file, without the character."""
    said = refused(a_layout("b"), a_layout("b", path))
    assert "The name of the new file `" in said
    assert said.isprintable()


@pytest.mark.parametrize(
    "path",
    [
        "src/app.py",
        "my file.txt",
        "r\u00e9sum\u00e9.txt",
        "\u65e5\u672c\u8a9e/\u30c6\u30b9\u30c8.md",
        "\u0438\u043c\u044f.txt",
        ".eslintrc",
        "a~b",
        "notes.txt~",
        "file.~1~",
        "Foo::Bar.3pm",
        "\U0001f600.png",
        "...hidden",
    ],
)
def test_names_that_show_what_they_are_pass(path: str) -> None:
    """Other alphabets, inner spaces and odd signs are nobody's business."""
    assert refused(a_layout("b"), a_layout("b", path)) == ""


def test_only_the_new_part_of_a_path_counts() -> None:
    """A folder whose name the branch has already may get a new file."""
    old = a_layout("\U0001f4c1\ufe0f docs/a.md")
    assert refused(old, a_layout("\U0001f4c1\ufe0f docs/a.md", "\U0001f4c1\ufe0f docs/b.md")) == ""
    assert refused(old, a_layout(), *old.modes) == ""


@pytest.mark.parametrize(
    ("there", "new"),
    [
        ("src/app.py", "src/App.py"),
        ("src/app.py", "SRC/other.py"),
        ("caf\u00e9.txt", "cafe\u0301.txt"),
        ("stra\u00dfe", "STRASSE"),
        ("\u212aelvin", "kelvin"),
        ("src/app.py", "src/APP.PY/x"),
    ],
)
def test_a_name_that_is_another_one_elsewhere_is_refused(there: str, new: str) -> None:
    """On macOS and Windows one of the two would take the other's place."""
    assert "is the same as" in refused(a_layout(there), a_layout(there, new))
    assert refused(a_layout(there), a_layout(new)) == ""
    assert "is the same as" in refused(a_layout(), a_layout(there, new))


def test_names_that_were_the_same_before_stop_nobody() -> None:
    """Repositories with both forms exist."""
    both = ("net/xt_MARK.h", "net/xt_mark.h")
    assert refused(a_layout(*both), a_layout(*both, "net/new.h"), "net/xt_mark.h") == ""


def git_refuses(folder: Path, path: str) -> bool:
    """Return whether git with all of its protections takes no such path into an index."""
    line = f"100644 {'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391'}\t{path}\0"
    protect = ("-c", "core.protectHFS=true", "-c", "core.protectNTFS=true")
    done = subprocess.run(
        ["git", *protect, "update-index", "-z", "--index-info"],
        cwd=folder,
        input=line.encode(),
        capture_output=True,
        check=False,
    )
    return done.returncode != 0 or b"nvalid path" in done.stderr or b"gnoring path" in done.stderr


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Provide an empty one."""
    folder: Path = tmp_path_factory.mktemp("repository")
    subprocess.run(["git", "init", "-q", folder], check=True)
    return folder


_PIECES = st.sampled_from(
    (
        *(".git", ".GIT", "git~1", "GIT~1", ".g", "it", " ", ".", "::$INDEX_ALLOCATION", ":x", "\\", "a"),
        *("\u200c", "\u200d", "\u200e", "\u202a", "\u206a", "\ufeff", "\u0130"),
    )
)


@settings(max_examples=150)
@given(parts=st.lists(st.lists(_PIECES, min_size=1, max_size=4).map("".join), min_size=1, max_size=3))
def test_what_git_takes_for_its_own_folder_is_refused(repository: Path, parts: list[str]) -> None:
    """Git's own rules for HFS+ and NTFS find nothing that ours let through."""
    path = "/".join(parts)
    if git_refuses(repository, path):
        assert refused(a_layout(), a_layout(path)), path


@pytest.mark.parametrize(
    "name", [".git", ".GIT", "git~1", ".g\u200cit", ".git ", ".git.", ".git::$INDEX_ALLOCATION", ".git\\x"]
)
def test_gits_folder_is_known_by_all_of_its_names(repository: Path, name: str) -> None:
    """Each is refused by git too."""
    assert git_refuses(repository, f"a/{name}/config")
    assert is_git_folder(name)
    assert "git's own folder" in refused(a_layout(), a_layout(f"a/{name}/config"))


@given(st.text())
def test_a_name_is_itself(name: str) -> None:
    """What is compared does not depend on how often it was made comparable."""
    assert same(same(name)) == same(name)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (a_layout("a"), a_layout("a", ".github/workflows/ci.yml")),
        (a_layout("a"), a_layout("a", ".GitHub/Workflows/ci.yml")),
        (a_layout("a", ".github/workflows/ci.yml"), a_layout("a")),
        (a_layout("ci/a.yml"), a_layout("ci/a.yml", links={".github/workflows": "../ci"})),
        (a_layout("ci/workflows/a"), a_layout("ci/workflows/a", links={".github": "ci"})),
        (a_layout("a"), a_layout("a", links={".github": "ci"})),
        (a_layout("a"), a_layout("a", links={".GITHUB": "ci"})),
        (a_layout(".github/x"), a_layout(links={".github": "ci"})),
        (
            a_layout("ci/a.yml", links={".github/workflows": "../ci"}),
            a_layout("ci/a.yml", "ci/b.yml", links={".github/workflows": "../ci"}),
        ),
        (
            a_layout("x/ci.yml", links={".github": "conf", "conf/workflows": "../x"}),
            a_layout("x/ci.yml", "x/b.yml", links={".github": "conf", "conf/workflows": "../x"}),
        ),
        (
            a_layout("a", links={".github/workflows/a.yml": "../../a.yml"}),
            a_layout("a", "a.yml", links={".github/workflows/a.yml": "../../a.yml"}),
        ),
        (a_layout("a"), a_layout("a", ".github/workflows")),
        (a_layout("a"), a_layout("a", ".github./workflows/x.yml")),
        (a_layout("a"), a_layout("a", "\uff0egithub/workflows/x.yml")),
    ],
)
def test_workflows_are_known_by_every_way_that_leads_to_them(old: Layout, new: Layout) -> None:
    """In any case of letters, as links, below links, and as what links lead to."""
    assert "changed the workflow file" in refused(old, new)


def test_what_is_beside_the_workflows_is_none() -> None:
    """Only that folder needs the permission."""
    old = a_layout("a", ".github/workflows/ci.yml", links={"docs/ci": "../.github/workflows"})
    assert refused(old, a_layout("b", ".github/CODEOWNERS", *old.modes, links=old.targets), "a") == ""


def test_a_submodule_is_refused() -> None:
    """Its commits would not be pushed with it."""
    new = a_layout("a")
    new.modes = {"a": "160000"}
    assert "changed the submodule `a`" in refused(a_layout(), new)
