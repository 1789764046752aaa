"""Protected files on other people's branches: what the agent gets of the base, and what the branch keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from runner.git.layout import Layout
from runner.git.protected import Protection, with_base
from tests.unit.branch_kit import Repository

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from runner.git.remote import Remote
    from runner.git.store import Store


class Base:
    """GitHub's side, whose base branch is in the store already; what is asked for is written down."""

    def __init__(self, tree: str) -> None:
        """Stand at a tree."""
        self._tree = tree
        self.asked: set[str] = set()

    def fetch_other(self, _store: Store, _source: str, _name: str) -> str:
        """Give the tree."""
        return self._tree

    def fetch_blobs(self, _store: Store, names: Sequence[str]) -> None:
        """Note what is missing."""
        self.asked.update(names)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Provide an empty one."""
    return Repository(tmp_path)


def files(repository: Repository, tree: str) -> dict[str, bytes | str]:
    """Contents by path; a text is a link's target."""
    store = repository.store
    layout = Layout.read(store, tree)
    return {path: layout.targets.get(path, store.blob(name)) for path, _, name in store.find(tree)}


def seen(
    repository: Repository, base: Mapping[str, bytes | str], branch: Mapping[str, bytes | str]
) -> dict[str, bytes | str]:
    """Return what the agent works on."""
    remote = Base(repository.tree(base))
    return files(
        repository, with_base(cast("Remote", remote), repository.store, "main", repository.tree(branch))
    )


@pytest.mark.parametrize(
    ("base", "branch", "agent"),
    [
        (
            {"CLAUDE.md": "G", "G": b"base"},
            {"G": b"evil", "CLAUDE.md": "G"},
            {"G": b"evil", "CLAUDE.md": b"base"},
        ),
        ({"CLAUDE.md": "M"}, {"M": b"evil"}, {"M": b"evil"}),
        ({"CLAUDE.md": "/etc/passwd"}, {"a": b"a"}, {"a": b"a"}),
        (
            {".claude": "t/c", "t/c/s": b"base"},
            {"t": "evil", "evil/c/s": b"x"},
            {"t": "evil", "evil/c/s": b"x", ".claude/s": b"base"},
        ),
        ({".claude/x": "..", "a": b"a"}, {"a": b"a"}, {"a": b"a"}),
        (
            {".claude/x": "../s", "s/f": b"1", "s/l": "../../.."},
            {"b": b"b"},
            {"b": b"b", ".claude/x/f": b"1"},
        ),
        ({"l": "k", "k": b"base", "CLAUDE.md": "l"}, {"k": b"evil"}, {"k": b"evil", "CLAUDE.md": b"base"}),
        ({"CLAUDE.md": b"base"}, {"claude.MD": b"evil", "c": b"c"}, {"CLAUDE.md": b"base", "c": b"c"}),
        ({"a": b"a"}, {"Agents.md": b"evil", ".mcp.json": "x", "x": b"x"}, {"x": b"x"}),
    ],
)
def test_the_agent_gets_what_the_base_says(
    repository: Repository,
    base: dict[str, bytes | str],
    branch: dict[str, bytes | str],
    agent: dict[str, bytes | str],
) -> None:
    """A link of the base is what it leads to there; one that leads nowhere, out, or around is nothing."""
    assert seen(repository, base, branch) == agent


@pytest.mark.parametrize(
    ("head", "work", "pushed"),
    [
        ({"CLAUDE.md": b"1"}, {"CLAUDE.md/x": b"2"}, {"CLAUDE.md": b"1"}),
        ({"d/CLAUDE.md": b"1", "d/a": b"1"}, {"d": "e", "e/a": b"1"}, {"d/CLAUDE.md": b"1", "e/a": b"1"}),
        ({"d/CLAUDE.md": b"1"}, {"d": b"2"}, {"d/CLAUDE.md": b"1"}),
        ({"d/e/.claude/x": b"1"}, {"d": b"2", "n": b"n"}, {"d/e/.claude/x": b"1", "n": b"n"}),
        ({"CLAUDE.md": "G", "G": b"1"}, {"CLAUDE.md": "G", "G": b"2"}, {"CLAUDE.md": "G", "G": b"1"}),
        (
            {"CLAUDE.md": "G", "G": b"1"},
            {"CLAUDE.md": "H", "G": b"1", "H": b"2"},
            {"CLAUDE.md": "G", "G": b"1", "H": b"2"},
        ),
        (
            {".claude": "t/c", "t/c/s": b"1"},
            {".claude": "t/c", "t": "u", "u/c/s": b"2"},
            {".claude": "t/c", "t/c/s": b"1", "u/c/s": b"2"},
        ),
        (
            {".husky": "h", "h/x": b"1"},
            {".husky": "h", "h/x": b"1", "h/y": b"2"},
            {".husky": "h", "h/x": b"1"},
        ),
        (
            {"l": "k", "k": b"1", "CLAUDE.md": "l"},
            {"l": "m", "m": b"2", "CLAUDE.md": "l"},
            {"l": "k", "k": b"1", "m": b"2", "CLAUDE.md": "l"},
        ),
        ({"a": b"1"}, {"a": b"2", ".Claude/x": b"2", "b/claude.MD": "a"}, {"a": b"2"}),
    ],
)
def test_the_branch_keeps_its_own(
    repository: Repository,
    head: dict[str, bytes | str],
    work: dict[str, bytes | str],
    pushed: dict[str, bytes | str],
) -> None:
    """Whatever the agent made of protected files, of what they lead to, and of the folders above them."""
    old, new = repository.tree(head), repository.tree(work)
    protection = Protection(Layout.read(repository.store, old))
    assert files(repository, repository.store.graft(new, old, protection.holds)) == pushed
