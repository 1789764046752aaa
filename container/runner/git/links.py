"""Which links of a tree lead where they must not."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from runner.git.layout import Way
from runner.git.names import is_git_folder, is_invisible

if TYPE_CHECKING:
    from runner.git.layout import Layout

# To Windows these are devices, whatever follows the first dot or colon, and in every folder.
_DEVICE = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])[ ]*(?:[.:].*)?", re.IGNORECASE | re.DOTALL
)
_ABSOLUTE = re.compile(r"/|[A-Za-z]:")


def find_strays(old: Layout, new: Layout) -> dict[str, str]:
    """Find links that lead out of the repository or into git's own folder and did not before.

    A link that nobody touched may do so by another that is new.

    Returns:
        What is wrong with each, to go on after its path.
    """
    found = {}
    for path, target in new.targets.items():
        why = problem(new, path)
        if why is not None and not (old.targets.get(path) == target and problem(old, path) is not None):
            found[path] = why
    return found


def problem(layout: Layout, path: str) -> str | None:
    """Say why a link must not be pushed, if it must not.

    It has to stay inside for every system that may check it out: Linux follows link by link, macOS and
    Windows do not tell case, and Windows takes `..` off the text before it follows anything.
    """
    target = layout.targets[path]
    if any(map(is_invisible, target)):
        return "points to a name with characters that nobody sees"
    wrong = _problem_of_text(path, target)
    for loosely in (False, True):
        end = layout.follow(path, loosely=loosely).end
        if wrong is None and isinstance(end, Way):
            wrong = end
    return wrong and wrong.value


def _problem_of_text(path: str, target: str) -> Way | None:
    parts = target.split("/")
    # To Windows, dots and spaces at the end of a name are not there.
    stripped = (part not in {"", ".", ".."} and not part.strip(". ") for part in parts)
    if not target or _ABSOLUTE.match(target) or "\\" in target or any(stripped):
        return Way.OUTSIDE
    text = posixpath.normpath(posixpath.join(posixpath.dirname(path), target)).split("/")
    if text[0] == ".." or any(map(_DEVICE.fullmatch, parts)):
        return Way.OUTSIDE
    return Way.GIT if any(map(is_git_folder, text)) else None
