"""What `destroy` and `sessions purge` print with `--json`; see `documents`."""

from typing import Literal

from pullwright.fields import Model


class RemovalPart(Model):
    """Something that the deletion of a stack leaves, and that is removed besides."""

    kind: str
    name: str


class LeftPart(RemovalPart):
    """Something that stays.

    Attributes:
        command: that removes it, or brings it back; empty if none does.
    """

    why: str
    command: str


class Removal(Model):
    """`destroy`.

    Attributes:
        resources: how many of them go with the stack.
        images: how many go with its own image repository; null if nobody can tell.
        untold: sessions whose end GitHub had not taken.
        commands: with `--dry-run`, plain calls in their order.
    """

    stack: str
    status: Literal["planned", "removed"]
    resources: int
    images: int | None
    removed: tuple[RemovalPart, ...]
    left: tuple[LeftPart, ...]
    untold: tuple[str, ...]
    commands: tuple[str, ...]


class Purge(Model):
    """`sessions purge`.

    Attributes:
        purged: none with `--dry-run`.
        kept: those whose end GitHub has yet to be told.
    """

    stack: str
    before: str
    repository: str | None
    purged: tuple[str, ...]
    artifacts: int
    kept: tuple[str, ...]
    commands: tuple[str, ...]
