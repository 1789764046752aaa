"""Starts the workers whose schedule is due: each once for each time that it is due, also after a downtime."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from pullwright.aws import calling, code_of
from pullwright.errors import PullwrightError
from pullwright.log import logger

if TYPE_CHECKING:
    from datetime import datetime

    from mypy_boto3_stepfunctions import SFNClient

    from pullwright.store import Store
    from pullwright.workers.schedules import Schedule
    from pullwright.workers.store import WorkerStore

_SHORT = 12


@dataclass(frozen=True, slots=True)
class Schedules:
    """The scheduled workers of all repositories.

    Attributes:
        machine: that sessions are started by.
    """

    workers: WorkerStore
    sessions: Store
    states: SFNClient
    machine: str

    def start_due(self, now: datetime) -> list[str]:
        """Start what is due and was not started; return the new sessions.

        The session's name says worker, time and repository, so that no time counts twice, whoever looks.

        Raises:
            AwsUnavailable: the repositories cannot be listed; the next sweep looks again.
        """
        started: list[str] = []
        for head in self.workers.scheduled():
            for schedule in head.schedules:
                try:
                    name = self._start(head.repository, schedule, now)
                except PullwrightError as error:
                    # The next sweep tries again: what was due is still due.
                    logger.warning("a schedule cannot be looked at", error=error.sentence)
                else:
                    started += [name] if name else []
        return started

    def _start(self, repository: str, schedule: Schedule, now: datetime) -> str | None:
        try:
            due = schedule.due(now)
        except (ValueError, LookupError, OSError) as error:
            logger.error(
                "a stored schedule cannot be read", worker=schedule.worker, error=type(error).__name__
            )
            return None
        if due is None:
            return None
        place = sha256(repository.lower().encode()).hexdigest()[:_SHORT]
        name = f"{schedule.worker}-{int(due.timestamp()) // 60}-{place}"
        if not self.sessions.read_session(name).is_missing:
            return None
        request = json.dumps({"repository": repository, "worker": schedule.worker}, separators=(",", ":"))
        with calling("start a session"):
            try:
                self.states.start_execution(stateMachineArn=self.machine, name=name, input=request)
            except ClientError as error:
                if code_of(error) != "ExecutionAlreadyExists":
                    raise
                return None
        return name
