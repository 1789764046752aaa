"""What a check says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from pullwright.fields import Model

if TYPE_CHECKING:
    from collections.abc import Callable


class Status(StrEnum):
    """How a check ends; only `fail` makes the command fail."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class Finding(Model):
    """One check's result.

    Attributes:
        remedy: what to do; empty when nothing is.
    """

    check: str
    status: Status
    text: str
    remedy: str = ""


class Checkup(Model):
    """All results, in a fixed order, and the worst of them."""

    stack: str
    status: Status
    checks: tuple[Finding, ...]


@dataclass(frozen=True)
class Unknown:
    """A fact that could not be had.

    Attributes:
        is_failure: what stands in the way is itself out of order, such as credentials that have expired.
    """

    reason: str
    remedy: str = ""
    is_failure: bool = False


Known = TypeVar("Known")
Fact: TypeAlias = Known | Unknown
Verdict = tuple[Status, str, str]


def ok(text: str) -> Verdict:
    """Return that all is well."""
    return Status.OK, text, ""


def warn(text: str, remedy: str) -> Verdict:
    """Return that somebody should look."""
    return Status.WARN, text, remedy


def fail(text: str, remedy: str) -> Verdict:
    """Return that something does not work."""
    return Status.FAIL, text, remedy


def found(check: str, fact: Fact[Known], judge: Callable[..., Verdict], *needed: Fact[Any]) -> Finding:
    """Judge a fact; what could not be had is a warning, or a failure if it is one.

    Args:
        judge: takes the fact and all that is needed besides.
        needed: without these nothing can be said; what is wrong with them, another check says.
    """
    if isinstance(fact, Unknown) and fact.is_failure:
        return Finding(check=check, status=Status.FAIL, text=fact.reason, remedy=fact.remedy)
    values = (fact, *needed)
    missing = next((it for it in values if isinstance(it, Unknown)), None)
    if missing is not None:
        text = f"Could not be checked: {missing.reason}"
        return Finding(check=check, status=Status.WARN, text=text, remedy=missing.remedy)
    status, text, remedy = judge(*values)
    return Finding(check=check, status=status, text=text, remedy=remedy)


def follows(fact: Fact[Known]) -> Fact[Known]:
    """Return a fact whose failure another check tells already: here it is only what is missing."""
    return replace(fact, is_failure=False) if isinstance(fact, Unknown) else fact
