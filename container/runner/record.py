"""The session record as the runner sees it: claimed once, kept alive, and given up when it is lost.

The newest task wins: one that finds the session claimed asks the broker, who knows which task is newer, and
takes it over. A task that finds another's ARN in the record, or a session that is over, has no business there
any more and must not push. That the session runs at all the broker has said: this task's credentials reach no
attribute but those that are named here.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Protocol

from pullwright.errors import PullwrightError, SessionClosed
from pullwright.record import OVER
from pullwright.table import session_key, writing
from runner.clock import CLOCK, Clock
from runner.log import logger

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient

    from runner.metadata import TaskIdentity

HEARTBEAT_SECONDS = 60.0
_NOT_OVER = f"attribute_not_exists({OVER})"


class Claim(Protocol):
    """Whether the session is still this task's."""

    def beat(self) -> None:
        """Say that the task is alive.

        Raises:
            SessionClosed: the session is closed or belongs to another task.
            AwsUnavailable: nobody says.
        """

    def is_lost(self) -> bool:
        """Return whether the session is closed or another task's; False if nobody says."""


class NoClaim:
    """See `Claim`: the session of a process that has no rival."""

    def beat(self) -> None:
        """Nobody listens."""

    def is_lost(self) -> bool:
        """Nobody can take it."""
        return False


class SessionClaim:
    """A task's claim on its session: the attributes that it writes into the record.

    Args:
        now: the time in UTC.
    """

    def __init__(
        self,
        dynamodb: DynamoDBClient,
        *,
        table: str,
        session_id: str,
        task: TaskIdentity,
        now: Callable[[], datetime] = CLOCK.now,
    ) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._key = session_key(session_id)
        self._task = task
        self._now = now

    def claim(self, started_at: datetime) -> bool:
        """Claim the session for this task, unless another one has claimed it.

        Args:
            started_at: when the task started, UTC.

        Returns:
            False if another task has claimed the session, or if it is over.

        Raises:
            AwsUnavailable: the table did not answer.
        """
        return self._claim(started_at, " AND (attribute_not_exists(task_arn) OR task_arn = :arn)")

    def take_over(self, started_at: datetime) -> None:
        """Claim the session, whichever task has it: the broker has said that this one is the newest.

        Args:
            started_at: when the task started, UTC.

        Raises:
            SessionClosed: the session is over.
            AwsUnavailable: the table did not answer.
        """
        if not self._claim(started_at):
            raise SessionClosed("The session is closed.")

    def beat(self) -> None:
        """Say that the task is alive, if the session is still its own.

        Raises:
            SessionClosed: the session is closed or belongs to another task.
            AwsUnavailable: the table did not answer.
        """
        if not self._update("SET heartbeat_at = :now", f"{_NOT_OVER} AND task_arn = :arn"):
            raise SessionClosed("The session is closed or belongs to another task.")

    def is_lost(self) -> bool:
        """Return whether the session is closed or another task's; False if the table does not answer."""
        try:
            self.beat()
        except SessionClosed:
            return True
        except PullwrightError as error:
            logger.warning("the record does not say whose the session is", error=type(error).__name__)
        return False

    def _claim(self, started_at: datetime, condition: str = "") -> bool:
        return self._update(
            "SET task_arn = :arn, image_digest = :digest, task_started_at = :started, heartbeat_at = :now",
            f"attribute_exists(pk) AND {_NOT_OVER}{condition}",
            {":digest": self._task.image_digest, ":started": started_at.isoformat()},
        )

    def _update(self, update: str, condition: str, values: Mapping[str, str] | None = None) -> bool:
        """Change the record, and return whether the condition held."""
        values = {":arn": self._task.arn, ":now": self._now().isoformat(), **(values or {})}
        with writing("write the session record") as write:
            self._dynamodb.update_item(
                TableName=self._table,
                Key={"pk": {"S": self._key}},
                UpdateExpression=update,
                ConditionExpression=condition,
                ExpressionAttributeValues={name: {"S": value} for name, value in values.items()},
            )
        return write.is_done


class Heartbeat:
    """Beats in a thread of its own until the session is lost or the runner ends.

    Args:
        lost: set when the session is not ours any more.
        interval: seconds between two beats.
    """

    def __init__(
        self,
        record: Claim,
        lost: threading.Event,
        *,
        interval: float = HEARTBEAT_SECONDS,
        clock: Clock = CLOCK,
    ) -> None:
        self._record = record
        self._lost = lost
        self._interval = interval
        self._clock = clock
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_exception: object) -> None:
        self._ended.set()

    def _run(self) -> None:
        while not self._clock.wait(self._ended, self._interval):
            try:
                self._record.beat()
            except SessionClosed:
                logger.warning("the session is not ours any more")
                self._lost.set()
                return
            except PullwrightError as error:
                # The next beat may succeed; the reconciler looks at how long ago the last one was.
                logger.warning("a heartbeat failed", error=type(error).__name__)
