"""Lost webhooks: GitHub never delivers again by itself, so the sweep asks it to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pullwright.aws import calling
from pullwright.errors import PullwrightError
from pullwright.log import logger
from pullwright.table import DELIVERIES_KEY, delivery_key, read_item, writing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mypy_boto3_dynamodb import DynamoDBClient

    from pullwright.github.app import GitHubApp
    from pullwright.github.payloads import Delivery

MOST_TRIES = 5
# Each try waits four times as long as the one before: together they outlast an outage of some hours.
_FIRST_PAUSE = timedelta(minutes=4)
_FACTOR = 4
_KEPT = timedelta(days=3)
# An attempt stands in the list when it is over, some time after others that began later.
_OVERLAP = timedelta(minutes=5)
# What our webhook answers to what it never takes. A 401 is none of these: GitHub has signed all that it lists
# here, so our secret was wrong, and will fit when somebody has put it right.
_OURS = frozenset({400, 413})
_WRONG_SECRET = 401


@dataclass(frozen=True, slots=True)
class Redelivered:
    """What came of looking for lost deliveries.

    Attributes:
        asked: GUIDs that GitHub was asked to deliver again.
        given_up: GUIDs that every try has failed for.
        refused: those among both that the webhook took for forged: its secret is not GitHub's.
    """

    asked: tuple[str, ...] = ()
    given_up: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


def lost(attempts: Iterable[Delivery]) -> list[Delivery]:
    """Return the first known attempt of each delivery that never reached us, oldest first.

    Reached means that an attempt went well, or that the webhook itself refused it, as it always would.
    """
    first: dict[str, Delivery] = {}
    reached: set[str] = set()
    for attempt in sorted(attempts, key=lambda attempt: attempt.delivered_at):
        first.setdefault(attempt.guid, attempt)
        if attempt.status == "OK" or attempt.status_code in _OURS:
            reached.add(attempt.guid)
    return [attempt for guid, attempt in first.items() if guid not in reached]


class LostDeliveries:
    """Finds deliveries that failed and has them sent again; the execution's name keeps them from doubling.

    Args:
        table: the sessions table, where tries are counted.
    """

    def __init__(self, app: GitHubApp, client: DynamoDBClient, table: str) -> None:
        self._app = app
        self._client = client
        self._table = table

    def recover(self, now: datetime, *, is_time: Callable[[], bool] = lambda: True) -> Redelivered:
        """Ask GitHub to deliver again what was lost since the last time, a few times with growing pauses.

        Args:
            now: the time, in UTC.
            is_time: whether there is time for one more; the rest is left to the next time.

        Raises:
            PullwrightError: GitHub or the table did not answer; what was asked for is remembered.
        """
        since = max(self._mark() or now - _KEPT, now - _KEPT)
        missing = lost(self._app.deliveries(since))
        asked, given_up, open_since = [], [], []
        refused = {attempt.guid for attempt in missing if attempt.status_code == _WRONG_SECRET}
        for attempt in missing:
            if not is_time():
                open_since.append(attempt.delivered_at)
                break
            tries, last = self._tries(attempt.guid)
            if tries >= MOST_TRIES:
                # Others may keep it in the window for long; the count past the last try tells it once.
                if tries == MOST_TRIES and self._count(attempt.guid, tries, now):
                    given_up.append(attempt.guid)
                continue
            open_since.append(attempt.delivered_at)
            pause = _FIRST_PAUSE * _FACTOR ** (tries - 1) if tries else timedelta(0)
            if last is not None and now - last < pause:
                continue
            if self._count(attempt.guid, tries, now) and self._ask(attempt):
                asked.append(attempt.guid)
        self._set_mark(min([now, *open_since]) - _OVERLAP)
        of_wrong_secret = tuple(guid for guid in (*asked, *given_up) if guid in refused)
        return Redelivered(tuple(asked), tuple(given_up), of_wrong_secret)

    def _ask(self, attempt: Delivery) -> bool:
        try:
            self._app.redeliver(attempt.id)
        except PullwrightError as error:
            logger.warning("GitHub does not deliver it again", guid=attempt.guid, error=error.sentence)
            return False
        return True

    def _mark(self) -> datetime | None:
        item = read_item(self._client, self._table, DELIVERIES_KEY)
        return datetime.fromisoformat(item["seen_until"]) if item else None

    def _set_mark(self, moment: datetime) -> None:
        with calling("write the sessions table"):
            self._client.update_item(
                TableName=self._table,
                Key={"pk": {"S": DELIVERIES_KEY}},
                UpdateExpression="SET seen_until = :moment",
                ExpressionAttributeValues={":moment": {"S": moment.isoformat()}},
            )

    def _tries(self, guid: str) -> tuple[int, datetime | None]:
        item = read_item(self._client, self._table, delivery_key(guid))
        return (int(item["tries"]), datetime.fromisoformat(item["asked_at"])) if item else (0, None)

    def _count(self, guid: str, tries: int, now: datetime) -> bool:
        """Count a try before it is made; False if another sweep was faster."""
        with writing("write the sessions table") as write:
            self._client.update_item(
                TableName=self._table,
                Key={"pk": {"S": delivery_key(guid)}},
                UpdateExpression="SET tries = :next, asked_at = :now, #ttl = :ttl",
                ConditionExpression="attribute_not_exists(tries) OR tries = :tries",
                ExpressionAttributeNames={"#ttl": "ttl"},
                ExpressionAttributeValues={
                    ":next": {"N": str(tries + 1)},
                    ":tries": {"N": str(tries)},
                    ":now": {"S": now.isoformat()},
                    ":ttl": {"N": str(int((now + _KEPT + timedelta(days=1)).timestamp()))},
                },
            )
        return write.is_done
