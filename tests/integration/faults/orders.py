"""Events that come in a bad order or at a bad moment, and how the session must end then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.integration.conftest import LABEL
from tests.integration.faults.cells import CLONE, Cell, held
from tests.integration.faults.trial import ISSUE, PULL, Trial

if TYPE_CHECKING:
    from collections.abc import Callable

_FETCH = ".git/info/refs.*upload-pack"
_LONG_SECONDS = 150.0
"""How long a task is kept at work whose session must be stopped from outside."""
_BEFORE, _MEANWHILE = "before the delivery of the label", "while the task works"


def _close_issue(trial: Trial) -> None:
    trial.repository.rest("PATCH", f"/issues/{ISSUE}", {"state": "closed"})


def _remove_label(trial: Trial) -> None:
    trial.repository.rest("DELETE", f"/issues/{ISSUE}/labels/{LABEL}")


def _close_pull_request(trial: Trial) -> None:
    trial.repository.rest("PATCH", f"/pulls/{PULL}", {"state": "closed"})


def _archive(trial: Trial) -> None:
    trial.repository.rest("PATCH", "", {"archived": True})


def _first(act: Callable[[Trial], None], action: str) -> Callable[[Trial], None]:
    def run(trial: Trial) -> None:
        act(trial)
        trial.until_told(action)

    return run


def _meanwhile(act: Callable[[Trial], None], path: str = CLONE) -> Callable[[Trial], None]:
    def run(trial: Trial) -> None:
        trial.until_held(path)
        act(trial)

    return run


def _stopped(fault: str, says: str, act: Callable[[Trial], None], *, error: str = "SessionStopped") -> Cell:
    """Return an event that ends the session while its task works."""
    return Cell(
        _MEANWHILE,
        fault,
        error,
        "user",
        says,
        github=(held("POST", CLONE, _LONG_SECONDS),),
        during=_meanwhile(act),
        execution="ABORTED",
        table="order",
        is_heard=bool(says),
    )


def _early(fault: str, error: str, says: str, act: Callable[[Trial], None]) -> Cell:
    """Return an event that overtook the label."""
    return Cell(_BEFORE, fault, error, "user", says, 0, before=act, table="order", is_heard=bool(says))


ORDERS = (
    _early("the issue is closed", "IssueClosed", "is closed", _first(_close_issue, "closed")),
    _early("the label is removed", "LabelRemoved", "is not on the issue", _first(_remove_label, "unlabeled")),
    _early("the issue is deleted", "IssueNotFound", "", _first(Trial.delete_issue, "deleted")),
    _early("the issue is transferred", "IssueNotFound", "", _first(Trial.transfer_issue, "transferred")),
    _early("the App is taken off the repository", "AppNotInstalled", "", _first(Trial.uninstall, "removed")),
    Cell(_BEFORE, "the repository is renamed", before=Trial.rename, table="order"),
    Cell(
        _MEANWHILE,
        "the issue is closed",
        github=(held("POST", CLONE),),
        during=_meanwhile(_close_issue),
        table="order",
    ),
    _stopped("the label is removed", "was removed by", _remove_label, error="LabelRemoved"),
    _stopped("the issue is deleted", "The issue was deleted", Trial.delete_issue),
    _stopped("the issue is transferred", "moved to another repository", Trial.transfer_issue),
    _stopped("the App is taken off the repository", "", Trial.uninstall),
    _stopped("the pull request is closed", "The pull request was closed by", _close_pull_request),
    Cell(
        _MEANWHILE,
        "the repository is archived",
        "RepositoryArchived",
        "user",
        github=(held("POST", CLONE),),
        during=_meanwhile(_archive),
        table="order",
        is_heard=False,
    ),
    Cell(
        _MEANWHILE,
        "the repository is renamed",
        github=(held("GET", _FETCH),),
        during=_meanwhile(Trial.rename, _FETCH),
        table="order",
    ),
)
