"""Whether a change may be pushed: its names, links, workflows and submodules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pullwright.errors import PushRefused
from runner.git.layout import clashing, is_at_or_below
from runner.git.links import find_strays
from runner.git.names import deceives, is_git_folder
from runner.git.places import places
from runner.git.tree import ABSENT, GITLINK, SYMLINK, above, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.git.layout import Layout
    from runner.git.tree import Change

WORKFLOWS = "/.github/workflows"


def check(changes: Sequence[Change], old: Layout, new: Layout) -> None:
    """Refuse what must not be pushed, whatever the repository says.

    Raises:
        PushRefused: with the path and the reason.
    """
    for change in changes:
        if any(part == ".." or is_git_folder(part) for part in change.path.split("/")):
            raise PushRefused(f"The path {shown(change.path)} would reach into git's own folder.")
        if change.mode == GITLINK:
            raise PushRefused(
                f"The agent changed the submodule {shown(change.path)}, whose commits are not pushed.",
                remedy="Change the submodule by hand.",
            )
    _check_workflows(changes, old, new)
    _check_names(changes, old, new)
    for path, why in find_strays(old, new).items():
        raise PushRefused(
            f"The symbolic link {shown(path)} {why}.",
            remedy="Ask for a link that stays inside the repository.",
        )


def _check_workflows(changes: Sequence[Change], old: Layout, new: Layout) -> None:
    """Refuse changes of workflow files, by whatever name or link they are reached."""
    files = places(old, WORKFLOWS) | places(new, WORKFLOWS)
    for change in changes:
        is_folder = SYMLINK in {change.old_mode, change.mode} and change.path.lower() == ".github"
        if is_folder or is_at_or_below(change.path, files):
            raise PushRefused(
                f"The agent changed the workflow file {shown(change.path)}, and Pullwright's App has no "
                "permission to push workflow files.",
                remedy="Apply the workflow's part of diff.patch by hand, or ask for a change without it.",
            )


def _check_names(changes: Sequence[Change], old: Layout, new: Layout) -> None:
    added: set[str] = set()
    for change in changes:
        if change.old_mode != ABSENT:
            continue
        for path in (change.path, *above(change.path)):
            if path in added or path in old.modes or path in old.folders:
                continue
            added.add(path)
            if why := deceives(path.rpartition("/")[2]):
                raise PushRefused(
                    f"The name of the new file {shown(change.path)} {why}.",
                    remedy="Ask for file names that show what they are.",
                )
    if clash := clashing(new, sorted(added)):
        first, second = map(shown, clash)
        raise PushRefused(
            f"The new name {first} is the same as {second} on systems that do not tell case or composition.",
            remedy="Ask for file names that differ in more than that.",
        )
