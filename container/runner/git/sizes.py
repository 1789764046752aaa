"""How much a session may change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pullwright.errors import PushRefused
from runner.git.tree import present, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.git.store import Store
    from runner.git.tree import Change

# https://docs.github.com/en/repositories/working-with-files/managing-large-files/about-large-files-on-github
MAX_FILE_BYTES = 100 << 20
MAX_FILES = 20_000
# Together, unpacked: all of it is compared and searched for secrets, and a small pack can hold very much.
MAX_CHANGED_BYTES = 128 << 20


def check_size(changes: Sequence[Change], store: Store) -> dict[str, int]:
    """Refuse what is too much, before anything looks into it.

    Returns:
        The sizes of the new contents in bytes, by hash.

    Raises:
        PushRefused: with the path or the size.
    """
    if len(changes) > MAX_FILES:
        raise PushRefused(
            f"The agent changed {len(changes)} files; more than {MAX_FILES} at once are not pushed.",
            remedy="Add what is generated to .gitignore, then start it again.",
        )
    there = present(changes)
    sizes = store.sizes([change.blob for change in there]) if there else {}
    for change in there:
        if sizes[change.blob] > MAX_FILE_BYTES:
            raise PushRefused(
                f"The file {shown(change.path)} is larger than GitHub's limit of 100 MiB.",
                remedy="Add it to .gitignore or keep it elsewhere, then start it again.",
            )
    if sum(sizes[change.blob] for change in there) > MAX_CHANGED_BYTES:
        raise PushRefused(
            f"The files that the agent changed are larger than {MAX_CHANGED_BYTES >> 20} MiB together.",
            remedy="Add what is generated to .gitignore, then start it again.",
        )
    return sizes
