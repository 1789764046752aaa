"""Histories with objects that git complains of: harmless ones are cloned, dangerous ones refused for good.

The oracle is git itself: each object is first shown to `git fsck --strict`, whose own name of the finding
(https://git-scm.com/docs/git-fsck#_fsck_messages) has to be the one that the case is about. Zero-padded modes
and bad time zones stand in the histories of rails, flask, lodash and others (rails/rails#58144,
pallets/flask#2029, lodash/lodash#2309).
"""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from pullwright.errors import HistoryRefused
from runner import exit_codes
from runner.git.findings import HARMLESS
from runner.git.remote import Remote
from tests.container.harness import Harness

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PERSON = "A <a@example.invalid>"
GOOD = f"{PERSON} 1112911993 +0200"

# The whole line of the author, by the finding that it makes.
AUTHORS = {
    "badDate": f"{PERSON} soon +0200",
    "badDateOverflow": f"{PERSON} 99999999999999999999 +0200",
    "badEmail": "A <a@example.invalid 1112911993 +0200",
    "badName": "A> <a@example.invalid> 1112911993 +0200",
    "badTimezone": f"{PERSON} 1112911993 +051800",
    "missingEmail": "A 1112911993 +0200",
    "missingNameBeforeEmail": "<a@example.invalid> 1112911993 +0200",
    "missingSpaceBeforeDate": "A <a@example.invalid>1112911993 +0200",
    "missingSpaceBeforeEmail": "A<a@example.invalid> 1112911993 +0200",
    "zeroPaddedDate": f"{PERSON} 01112911993 +0200",
}
# Mode and name of an entry of a tree, and what it points to: a blob, a folder, or nothing that is there.
ENTRIES = {
    "zeroPaddedFilemode": [("040000", "src", "tree")],
    "hasDotgit": [("40000", ".git", "tree")],
    "hasDot": [("40000", ".", "tree")],
    "hasDotdot": [("40000", "..", "tree")],
    "fullPathname": [("100644", "a/b", "blob")],
    "duplicateEntries": [("100644", "a", "blob"), ("100644", "a", "blob")],
    "treeNotSorted": [("100644", "b", "blob"), ("100644", "a", "blob")],
    "nullSha1": [("100644", "a", "null")],
    "gitmodulesSymlink": [("120000", ".gitmodules", "blob")],
}
DANGEROUS = sorted(ENTRIES.keys() - HARMLESS)


@pytest.fixture
def harness() -> Iterator[Harness]:
    """Provide a repository on GitHub's side and everything else that the runner talks to."""
    with Harness.open() as opened:
        yield opened


def _write(harness: Harness, kind: str, content: bytes) -> str:
    command = ["git", "hash-object", "--literally", "-w", "-t", kind, "--stdin"]
    return (
        subprocess.run(command, cwd=harness.bare, input=content, check=True, capture_output=True)
        .stdout.decode()
        .strip()
    )


def _tree(harness: Harness, entries: list[tuple[str, str, str]]) -> str:
    hashes = {
        "blob": harness.git("rev-parse", "main:README.md"),
        "tree": harness.git("rev-parse", "main:src"),
        "null": "0" * 40,
    }
    lines = [f"{mode} {name}\0".encode() + bytes.fromhex(hashes[kind]) for mode, name, kind in entries]
    return _write(harness, "tree", b"".join(lines))


def _commit(harness: Harness, tree: str, parent: str, author: str = GOOD) -> str:
    text = f"tree {tree}\nparent {parent}\nauthor {author}\ncommitter {GOOD}\n\nOld work\n"
    return _write(harness, "commit", text.encode())


def _insert(harness: Harness, finding: str) -> str:
    """Put an object with one finding into the branch's history, below a head that is as good as before."""
    main, tree = harness.git("rev-parse", "main"), harness.git("rev-parse", "main^{tree}")
    if finding in AUTHORS:
        made = old = _commit(harness, tree, main, AUTHORS[finding])
    else:
        made = _tree(harness, ENTRIES[finding])
        old = _commit(harness, made, main)
    head = _commit(harness, tree, old)
    harness.git("update-ref", "refs/heads/claude/7", head)
    return made


def _git_says(harness: Harness) -> set[str]:
    """Git's own names of everything that is wrong in the repository."""
    said = subprocess.run(
        ["git", "fsck", "--strict"], cwd=harness.bare, capture_output=True, text=True, check=False
    )
    return set(re.findall(r"^(?:error|warning) in \w+ [0-9a-f]+: (\w+):", said.stderr, re.MULTILINE))


def _clone(harness: Harness, folder: Path) -> str:
    folder.mkdir()
    remote = Remote(
        f"{harness.url}/git/acme/shop.git", "claude/7", lambda: harness.grant().token, sleep=lambda _: None
    )
    return remote.clone(folder / "repository.git")[1].commit


def test_every_harmless_finding_has_a_case() -> None:
    """A name that is added to the list has to be shown here."""
    assert AUTHORS.keys() | {"zeroPaddedFilemode"} == HARMLESS


@pytest.mark.parametrize("finding", sorted(HARMLESS))
def test_a_harmless_finding_in_old_work_does_not_stop_a_clone(
    harness: Harness, tmp_path: Path, finding: str
) -> None:
    """Whatever git says of people, times and padded modes, the history is cloned as it is."""
    _insert(harness, finding)
    assert finding in _git_says(harness)
    assert _clone(harness, tmp_path / "clone") == harness.git("rev-parse", "claude/7")


@pytest.mark.parametrize("finding", DANGEROUS)
def test_a_dangerous_finding_refuses_the_clone_by_name(
    harness: Harness, tmp_path: Path, finding: str
) -> None:
    """What could reach a path, a link or a submodule is refused, by git's name for it and the object."""
    made = _insert(harness, finding)
    assert finding in _git_says(harness)
    with pytest.raises(HistoryRefused) as raised:
        _clone(harness, tmp_path / "clone")
    assert finding in raised.value.sentence
    assert made in raised.value.sentence


def test_a_refused_clone_is_not_repeated_and_told(harness: Harness) -> None:
    """The session ends at once with the reason; the history would be the same in a second try."""
    _insert(harness, "hasDotgit")
    ran = harness.run()
    assert ran.code == exit_codes.SERVICE, ran.output
    failure = harness.result.failure
    assert failure is not None
    assert (failure.error, failure.failure_class) == ("HistoryRefused", "user")
    assert "hasDotgit" in failure.sentence
    assert not [line for line in ran.lines if line["message"] == "git failed"]


def _pad_the_heads_modes(harness: Harness) -> None:
    head = harness.git("rev-parse", "claude/7")
    readme, ignore = (harness.git("rev-parse", f"main:{name}") for name in ("README.md", ".gitignore"))
    folder = harness.git("rev-parse", "main:src")
    lines = [("100644", ".gitignore", ignore), ("100644", "README.md", readme), ("040000", "src", folder)]
    tree = _write(
        harness,
        "tree",
        b"".join(f"{mode} {name}\0".encode() + bytes.fromhex(sha) for mode, name, sha in lines),
    )
    harness.git("update-ref", "refs/heads/claude/7", _commit(harness, tree, head))


def test_a_session_works_on_a_head_with_padded_modes(harness: Harness) -> None:
    """The agent's one change is all that the commit holds, though git writes trees without the padding."""
    _pad_the_heads_modes(harness)
    harness.fake_cli("cat > /dev/null; echo more >> README.md; finish")
    ran = harness.run()
    assert ran.code == exit_codes.DONE, ran.output
    assert harness.git("diff", "--name-only", "claude/7^", "claude/7").splitlines() == ["README.md"]
    assert harness.result.files_changed == 1


def test_rewritten_modes_alone_are_no_change(harness: Harness) -> None:
    """A file that is made and taken away again is no change, whatever git makes of the modes."""
    _pad_the_heads_modes(harness)
    before = harness.git("rev-parse", "claude/7")
    harness.fake_cli("cat > /dev/null; touch new; git add -A; git rm -qf new; touch README.md; finish")
    ran = harness.run()
    assert ran.code == exit_codes.DONE, ran.output
    assert harness.result.outcome == "no_change"
    assert harness.git("rev-parse", "claude/7") == before
