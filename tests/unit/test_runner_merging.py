"""A base is merged into a branch as git itself does it with a work tree."""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from runner.git.merging import Merge, merge_base_into
from runner.git.store import Store
from tests.examples import examples

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

FILES = {
    "a.txt": "".join(f"{number}\n" for number in range(9)),
    "b.txt": "one\n",
    "c/d.txt": "x\n" * 20,
    "e.bin": "\0one\0",
}
ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    **{f"GIT_{role}_{field}": "x@y" for role in ("AUTHOR", "COMMITTER") for field in ("NAME", "EMAIL")},
}


_HASH = re.compile("[0-9a-f]{40}")


class _Whole:
    """A remote of a repository that lacks nothing."""

    def fetch_blobs(self, store: Store, names: Sequence[str]) -> None:
        assert store.sizes(list(names)) is not None


class Repository:
    """A repository with a work tree, as the oracle has it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.git("init", "-q", "-b", "main")
        self.commit(FILES)
        self.begin = self.git("rev-parse", "HEAD")
        self.store = Store(folder / ".git")

    def git(self, *arguments: str, accept: tuple[int, ...] = (0,)) -> str:
        """Run git."""
        done = subprocess.run(
            ["git", *arguments], cwd=self.folder, env=ENVIRONMENT, capture_output=True, text=True, check=False
        )
        assert done.returncode in accept, done.stderr
        return done.stdout.strip()

    def commit(self, files: Mapping[str, str | None], message: str = "x") -> None:
        """Write, or delete, files and commit them."""
        for path, text in files.items():
            file = self.folder / path
            file.parent.mkdir(exist_ok=True)
            if text is None:
                file.unlink(missing_ok=True)
            else:
                file.write_text(text)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)

    def branch(self, name: str, files: Mapping[str, str | None]) -> None:
        """Make a branch at the beginning, with one commit."""
        self.git("checkout", "-q", "--force", "-B", name, self.begin)
        self.commit(files, name)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Provide a repository for all examples."""
    return Repository(tmp_path_factory.mktemp("merging"))


def _lines(old: str) -> st.SearchStrategy[str | None]:
    lines = old.splitlines(keepends=True)
    changed = st.tuples(st.integers(0, len(lines) - 1), st.sampled_from(["new\n", "newer\n"])).map(
        lambda it: "".join([it[1] if number == it[0] else line for number, line in enumerate(lines)])
    )
    return st.one_of(changed, st.just(old), st.none(), st.just("other\n"))


CHANGES = st.fixed_dictionaries(
    {},
    optional={
        **{path: _lines(text) for path, text in FILES.items()},
        "new.txt": st.sampled_from(["n\n", "m\n"]),
        # The same text as another file's: a move, if that one is deleted.
        "moved.txt": st.sampled_from([FILES["a.txt"], FILES["a.txt"] + "end\n"]),
    },
)


def merged(repository: Repository, head: str = "work", base: str = "base") -> Merge | None:
    """Merge one branch into another as the runner does."""
    store = Store(repository.folder / ".git")
    heads = store.head(head), store.head(base)
    return merge_base_into(_Whole(), store, *heads, present=heads[0].tree)  # type: ignore[arg-type]


MOVED = {"a.txt": None, "moved.txt": FILES["a.txt"] + "end\n"}
FILLED = {"a.txt": "other\n", "moved.txt": FILES["a.txt"]}


@settings(max_examples=examples(40), deadline=None)
@example(mine=MOVED, theirs=FILLED)
@example(mine=MOVED, theirs={**FILLED, "moved.txt": MOVED["moved.txt"]})
@given(mine=CHANGES, theirs=CHANGES)
def test_it_is_what_git_merges(
    repository: Repository, mine: Mapping[str, str | None], theirs: Mapping[str, str | None]
) -> None:
    """The same files where git merges cleanly, and the same unmerged entries where it does not."""
    repository.branch("base", theirs)
    repository.branch("work", mine)
    merge = merged(repository)
    assert merge is not None
    repository.git("merge", "-q", "--no-ff", "--no-edit", merge.base.commit, accept=(0, 1))
    unmerged = repository.git("ls-files", "-u", "-z")
    assert _contents(repository, merge, merge.stages) == _contents(
        repository, merge, unmerged.split("\0")[:-1]
    )
    store = repository.store
    if not unmerged:
        trees = (repository.git("ls-tree", "-r", "-z", name) for name in (merge.tree, "HEAD"))
        one, other = (_contents(repository, merge, tree.split("\0")[:-1]) for tree in trees)
        assert one == other
    left = [path for path in store.files(merge.tree) if "<<<<<<<" in _text(repository.folder / path)]
    assert merge.unresolved(store, merge.tree) == sorted(left)
    assert merge.untouched(store, merge.tree) == merge.conflicts
    assert merge.undone(store, merge.tree) == ([], False)
    brought = store.changes(merge.head.tree, merge.tree)
    assert merge.undone(store, merge.head.tree)[1] is bool(brought)


def _contents(repository: Repository, merge: Merge, entries: Sequence[str]) -> list[tuple[str, str, str]]:
    """Return entries with contents instead of hashes; in labels of conflicts the branch is called `HEAD`."""
    found = []
    for entry in entries:
        meta, _, path = entry.partition("\t")
        text = repository.git("cat-file", "blob", _HASH.findall(meta)[0]).replace(merge.head.commit, "HEAD")
        found.append((_HASH.sub("", meta), path, text))
    return sorted(found)


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def test_there_is_nothing_to_merge_twice(repository: Repository) -> None:
    """A branch that has its base, or none of its history, is left alone; the one is seen by one command."""
    repository.branch("base", {"new.txt": "n\n"})
    repository.git("checkout", "-q", "-B", "work", "base")
    repository.commit({"a.txt": "other\n"})
    store = repository.store
    assert (store.lacks("work", "base"), merged(repository)) == (None, None)
    assert store.lacks("base", "work") == store.head("work").commit
    repository.git("checkout", "-q", "--orphan", "strange")
    repository.commit({"z.txt": "z\n"})
    assert merged(repository, "strange") is None


@pytest.mark.parametrize(
    "attributes", ["* merge=union\n", "* -merge\n", "* conflict-marker-size=3\n", "* merge=evil\n"]
)
def test_attributes_have_no_say(repository: Repository, tmp_path: Path, attributes: str) -> None:
    """Conflicts are found and marked as on GitHub, which does not read users' attributes either.

    GitHub's support says so (https://github.com/olivierlacan/keep-a-changelog/issues/56), and people have
    measured it (https://github.com/oracle/graalvm-reachability-metadata/issues/9601).
    """
    for name in ("base", "work"):
        repository.branch(name, {"a.txt": f"{name}\n", ".gitattributes": attributes})
    # As the runner's own: without a work tree, and at the branch.
    store = Store(tmp_path / "bare.git")
    repository.git("clone", "-q", "--bare", "--branch=work", str(repository.folder), str(store.folder))
    evil = ("config", "merge.evil.driver", f"touch {tmp_path}/ran")
    repository.git("-C", str(store.folder), *evil)
    merge = merge_base_into(_Whole(), store, store.head("work"), store.head("base"), present="work")  # type: ignore[arg-type]
    assert merge is not None
    assert (merge.conflicts, merge.unresolved(store, merge.tree)) == (["a.txt"], ["a.txt"])
    assert not (tmp_path / "ran").exists()


def test_a_name_that_git_made_up_is_left_over(repository: Repository) -> None:
    """Where one side has a folder and the other a file, git keeps the file under a name of its own."""
    repository.branch("base", {"x": "file\n"})
    repository.branch("work", {"x/y": "inside\n"})
    merge = merged(repository)
    assert merge is not None
    assert merge.unresolved(repository.store, merge.tree) == [f"x~{merge.base.commit}"]


def test_text_that_only_looks_like_markers_is_resolved(repository: Repository) -> None:
    """A heading that is underlined, and what documents conflicts, are none of this merge's."""
    repository.branch("base", {"a.txt": "theirs\n"})
    repository.branch("work", {"a.txt": "mine\n"})
    merge = merged(repository)
    assert merge is not None
    texts = {"a.txt": "Title\n=======\n", "b.txt": f"<<<<<<< HEAD\n=======\n>>>>>>> {'1' * 40}\n"}
    repository.commit(texts)
    tree = repository.store.head("work").tree
    assert merge.unresolved(repository.store, tree) == []
    repository.commit({"c/d.txt": f"half of one\n>>>>>>> {merge.base.commit}\n"})
    assert merge.unresolved(repository.store, repository.store.head("work").tree) == ["c/d.txt"]


def test_what_is_taken_back_is_named(repository: Repository) -> None:
    """A resolution for the branch's own side takes nothing back; a change of the base that is gone does."""
    repository.branch("base", {"a.txt": "theirs\n", "new.txt": "n\n", "b.txt": None})
    repository.branch("work", {"a.txt": "mine\n"})
    merge = merged(repository)
    assert merge is not None
    for files, expected in (
        ({"a.txt": "mine\n", "new.txt": "n\n", "b.txt": None}, ([], False)),
        ({"a.txt": "both\n", "new.txt": None, "b.txt": "one\n"}, (["b.txt", "new.txt"], False)),
        ({"a.txt": "both\n", "new.txt": "m\n", "b.txt": None}, ([], False)),
        ({"a.txt": "mine\n", "new.txt": None, "b.txt": "one\n"}, (["b.txt", "new.txt"], True)),
    ):
        repository.commit(files)
        assert merge.undone(repository.store, repository.store.head("work").tree) == expected
