"""Where the files are that a pattern of paths names, through the tree's own links."""

from __future__ import annotations

import re
from fnmatch import translate
from typing import TYPE_CHECKING

from runner.git.layout import is_at_or_below
from runner.git.names import folded

if TYPE_CHECKING:
    from collections.abc import Iterable

    from runner.git.layout import Layout

_GLOB = re.compile(r"[*?\[]")


def places(layout: Layout, pattern: str) -> set[str]:
    """Find what a pattern names: files, folders, the links on the way, and what they lead to.

    A link that is named so, or is in a folder that is, makes its target such a place too.

    Args:
        pattern: names in small letters, `*` within one, separated by `/`; in every folder, or only from the
            root if it begins with `/`.

    Returns:
        Paths; a folder stands for everything in it.
    """
    first, *others = pattern.lstrip("/").split("/")
    on_the_way: set[str] = set()
    here = _in(layout, {""}, first) if pattern.startswith("/") else _anywhere(layout, first)
    for part in others:
        on_the_way |= here & layout.targets.keys()
        here = _in(layout, _with_targets(layout, here), part)
    found = on_the_way | here
    while True:
        links = {link for link in layout.targets if is_at_or_below(link, found)}
        # One that leads to a folder that it is in would make everything such a place; it is one itself.
        led = {
            end for link in links for end in _with_targets(layout, [link]) if not is_at_or_below(link, {end})
        }
        if led <= found:
            return found
        found |= led


def _with_targets(layout: Layout, paths: Iterable[str]) -> set[str]:
    found = set()
    for path in paths:
        found.add(path)
        if path in layout.targets:
            walk = layout.follow(path, loosely=True)
            found.update(walk.links)
            if isinstance(walk.end, str):
                found.add(walk.end)
    return found


def _anywhere(layout: Layout, part: str) -> set[str]:
    if not _GLOB.search(part):
        return set(layout.named.get(part, ()))
    fits = re.compile(translate(part)).match
    return {path for name, paths in layout.named.items() if fits(name) for path in paths}


def _in(layout: Layout, folders: Iterable[str], part: str) -> set[str]:
    fits = re.compile(translate(part)).match
    inside = (path for folder in folders for path in layout.children.get(folder, ()))
    return {path for path in inside if fits(folded(path.rpartition("/")[2]))}
