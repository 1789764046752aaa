"""Failures on order: what the tests tell the stand-in to do wrong."""

from __future__ import annotations

import asyncio
import re
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, field_validator, model_validator

WEBHOOK = "WEBHOOK"
"""What stands for a delivery in the place of a request's method."""
_MOST_SECONDS = 600
_LOOK_SECONDS = 0.05


class Fault(BaseModel):
    """One failure.

    Attributes:
        method: HTTP method, `*` for any, or `WEBHOOK` for a delivery.
        path_regex: searched in the path, and in path and query together; for a webhook in `event.action`.
        nth: begin with this matching call, counted from 1.
        times: how many calls fail; None is all of them.
        after: do the work first, then fail: the caller cannot know.
        body: of that answer; the service's own by default.
        delay: wait so many seconds; alone, the call then goes well.
        hold: wait until calls of this path are let go on by a control request; not for webhooks.
        drop: close the connection without an answer. A webhook is not sent and counts as one that could
            not connect; `vanish` leaves no trace of it at all.
    """

    model_config = ConfigDict(extra="forbid")

    method: str = "*"
    path_regex: str
    nth: int = Field(default=1, ge=1)
    times: int | None = Field(default=1, ge=1)
    after: bool = False
    status: int | None = Field(default=None, ge=400, le=599)
    body: Any = None
    headers: dict[str, str] = Field(default_factory=dict)
    delay: float = Field(default=0, ge=0, le=_MOST_SECONDS)
    hold: bool = False
    drop: bool | Literal["vanish"] = False

    _seen: int = PrivateAttr(default=0)
    _is_released: bool = PrivateAttr(default=False)

    @field_validator("path_regex")
    @classmethod
    def _compiles(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from None
        return value

    @model_validator(mode="after")
    def _does_something(self) -> Fault:
        if self.status is None and not self.delay and not self.drop and not self.hold:
            raise ValueError("one of status, delay, hold and drop is needed")
        if self.hold and self.method == WEBHOOK:
            raise ValueError("hold is not for webhooks")
        return self

    def matches(self, method: str, path: str, query: str) -> bool:
        """Tell whether the fault is for a call, regardless of `nth` and `times`."""
        if self.method not in ("*", method) or (self.method == "*" and method == WEBHOOK):
            return False
        return any(re.search(self.path_regex, text) for text in (path, f"{path}?{query}"))

    def strikes(self) -> bool:
        """Count one matching call and tell whether it fails."""
        self._seen += 1
        past = self._seen - self.nth
        return not self._is_released and past >= 0 and (self.times is None or past < self.times)

    async def wait(self) -> None:
        """Wait as ordered; what is held goes on after ten minutes in any case."""
        await asyncio.sleep(self.delay)
        left = _MOST_SECONDS if self.hold else 0.0
        while left > 0 and not self._is_released:
            await asyncio.sleep(_LOOK_SECONDS)
            left -= _LOOK_SECONDS

    def release(self) -> None:
        """Let the calls that are held go on, and hold no other."""
        self._is_released = self.hold


class Faults:
    """The failures in force."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def replace(self, faults: list[Fault]) -> None:
        """Forget all failures and begin with new ones; what is held goes on."""
        for fault in self._faults:
            fault.release()
        self._faults = faults

    def release(self, path_regex: str) -> bool:
        """Let calls go on that were ordered to be held by this expression; return False if none were."""
        held = [fault for fault in self._faults if fault.hold and fault.path_regex == path_regex]
        for fault in held:
            fault.release()
        return bool(held)

    def describe(self) -> list[dict[str, Any]]:
        """Return the failures in force, with how often each was met."""
        return [{**fault.model_dump(), "seen": fault._seen} for fault in self._faults]  # noqa: SLF001 - its own module

    def strike(self, method: str, path: str, query: str = "") -> Fault | None:
        """Return the failure that a call meets, if any; the first that matches decides.

        Args:
            path: the path from the server's root, or `event.action`.
            query: without the question mark.
        """
        for fault in self._faults:
            if fault.matches(method, path, query) and fault.strikes():
                return fault
        return None
