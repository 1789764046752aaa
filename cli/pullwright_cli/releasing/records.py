"""Releases of a stack, as its parameter of Systems Manager keeps them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pullwright import errors

if TYPE_CHECKING:
    from collections.abc import Mapping

ALIAS = "live"
OUTPUT = "ReleaseParameter"


@dataclass(frozen=True)
class Release:
    """What one deployment consists of.

    Attributes:
        number: the parameter's version; every deployment that changed something has the next one.
        at: when it was deployed.
        machine: ARN of a version of the state machine, which names the rest of what a session runs on.
        functions: ARNs of versions of the functions that no session names.
        task_definition: ARN of the revision that the machine's version names.
        image: the agent's image, as the revision names it.
        preview_machine: ARN of a version of the previews' state machine; empty where the release has none.
    """

    number: int
    at: str
    machine: str
    functions: tuple[str, ...]
    task_definition: str
    image: str
    preview_machine: str = ""

    @property
    def machines(self) -> tuple[str, ...]:
        """ARNs of the versions of state machines."""
        return (self.machine, self.preview_machine) if self.preview_machine else (self.machine,)

    @property
    def parts(self) -> frozenset[str]:
        """ARNs of the versions that aliases point to while this release is live."""
        return frozenset((*self.machines, *self.functions))

    def is_live(self, live: frozenset[str]) -> bool:
        """Return whether all of it is live; a release without previews may have a later one's beside it.

        Args:
            live: ARNs of the versions that the aliases point to.
        """
        return self.parts <= live


def alias_of(version: str) -> str:
    """Return the ARN of the alias of a state machine, given that of one of its versions."""
    return f"{version.rpartition(':')[0]}:{ALIAS}"


def parse(entry: Mapping[str, Any]) -> Release:
    """Read an entry of `GetParameterHistory`; what a later release adds to the record is ignored."""
    record = json.loads(entry["Value"])
    return Release(
        number=int(entry["Version"]),
        at=f"{entry['LastModifiedDate']:%Y-%m-%d %H:%M}",
        machine=record["machine"],
        functions=tuple(record["functions"]),
        task_definition=record["task_definition"],
        image=record["image"],
        preview_machine=record.get("preview_machine", ""),
    )


def target(releases: list[Release], live: frozenset[str], number: int | None = None) -> Release:
    """Choose the release to go to.

    Args:
        releases: all that are known, oldest first.
        live: ARNs of the versions that the aliases point to.
        number: the release asked for; without one, the last that differs and came before the live one.

    Raises:
        ReleaseMissing: there is none.
    """
    if number is not None:
        for release in releases:
            if release.number == number:
                return release
        known = ", ".join(str(release.number) for release in releases)
        raise errors.ReleaseMissing(f"There is no release {number}. Known are: {known}.")
    # A deployment that failed late and was rolled back is recorded too, and then the one before it again.
    latest = [index for index, release in enumerate(releases) if release.is_live(live)]
    if not latest:
        raise errors.ReleaseMissing(
            "What is live is no whole release: an earlier rollback was interrupted, or a version was "
            "moved by hand.",
            remedy="Choose one of `pullwright releases` with --to.",
        )
    for release in reversed(releases[: latest[0]]):
        if not release.is_live(live):
            return release
    raise errors.ReleaseMissing("There is no release before the live one.")
