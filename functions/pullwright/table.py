"""The sessions table: its keys, and what all reads and writes of it have in common."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

from pullwright.aws import calling, code_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    from pullwright.models import AgentRequest

DELIVERIES_KEY = "DELIVERIES"
"""`pk` of how far lost deliveries have been looked for."""
IN_A_ROW_KEY = "IN_A_ROW"
"""`pk` of how many sessions have failed one after the other."""
EVALUATION = "EVALUATION#"
"""How the keys of evaluations begin."""
_REFUSED = "ConditionalCheckFailed"
_SESSION = "SESSION#"
_serialize = TypeSerializer().serialize
_deserialize = TypeDeserializer().deserialize


def session_key(session_id: str) -> str:
    """`pk` of a session's record."""
    return f"{_SESSION}{session_id}"


def session_of(key: str) -> str:
    """Return the session whose record has this `pk`."""
    return key.removeprefix(_SESSION)


def lock_key(repository: str, branch: str) -> str:
    """`pk` of the lock on a branch."""
    return f"LOCK#{repository}#{branch}"


def review_name(pull_request: int, worker: str) -> str:
    """Return what stands for the branch in the keys of a worker that only comments on a pull request.

    Git allows no colon in a branch's name, so that none can have this one.
    """
    return f"pull:{pull_request}:{worker}"


def lock_of(request: AgentRequest) -> str:
    """`pk` of the lock that a session holds: on its branch, or of its own if it only comments."""
    name = review_name(request.pull_request, request.worker) if request.only_comments else request.branch
    return lock_key(request.repository, name)


def branch_key(repository: str, branch: str) -> str:
    """`pk` of what was made for a branch."""
    return f"BRANCH#{repository}#{branch}"


def checks_key(repository: str, branch: str) -> str:
    """`pk` of what was done about the failing checks of a branch."""
    return f"CHECKS#{repository}#{branch}"


def slots_key(repository: str | None = None) -> str:
    """`pk` of the slots of the stack, or of one repository."""
    return f"SLOTS#{repository}" if repository else "SLOTS"


def day_key(day: date, repository: str | None = None) -> str:
    """`pk` of what a day's sessions have cost and may still cost, all of them or one repository's."""
    return f"SPEND#{day.isoformat()}" + (f"#{repository}" if repository else "")


def month_key(month: str, repository: str, worker: str, person: str, model: str) -> str:
    """`pk` of what the sessions of one repository, worker, person and model have cost in a month.

    Args:
        month: as in `2026-11`.
    """
    return f"MONTH#{month}#{repository}#{worker}#{person}#{model}"


def evaluation_key(evaluation: str) -> str:
    """`pk` of what an evaluation's sessions have cost and may still cost."""
    return f"{EVALUATION}{evaluation}"


def allowance_key(account: str) -> str:
    """`pk` of an installation's usage of GitHub.

    Args:
        account: login of the owner, in any spelling, or `pullwright.github.allowance.APP`.
    """
    return f"GITHUB#{account.lower()}"


def delivery_key(guid: str) -> str:
    """`pk` of how often GitHub was asked to deliver a webhook again."""
    return f"DELIVERY#{guid}"


def workers_key(repository: str) -> str:
    """`pk` of which set of a repository's own workers holds, and of what the webhook needs to know of it."""
    return f"REPO#{repository.lower()}"


def workers_chunk_key(repository: str, sha256: str, writing_id: str, number: int) -> str:
    """`pk` of one part of a set of workers.

    Args:
        sha256: of the whole set.
        writing_id: of the writing of this set, so that two that write the same set share no part.
    """
    return f"{workers_key(repository)}#{sha256}#{writing_id}#{number}"


def decoded(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item without DynamoDB's types; numbers are `Decimal`."""
    return {name: _deserialize(value) for name, value in item.items()}


def encoded(value: Any) -> Any:
    """Return a value with DynamoDB's type; floats become their shortest decimal."""
    return _serialize(Decimal(str(value)) if isinstance(value, float) else value)


def read_item(client: DynamoDBClient, table: str, key: str) -> dict[str, Any]:
    """Read one item as it stands now, empty if there is none.

    Raises:
        AwsUnavailable: the table did not answer.
    """
    with calling("read the sessions table"):
        found = client.get_item(TableName=table, Key={"pk": {"S": key}}, ConsistentRead=True)
    return decoded(found.get("Item", {}))


@dataclass(slots=True)
class Write:
    """What became of a conditional write.

    Attributes:
        item: what stands in the table if it did not, where the call asked for it.
    """

    is_done: bool = True
    item: Mapping[str, AttributeValueTypeDef] = field(default_factory=dict)


@contextmanager
def writing(what: str) -> Iterator[Write]:
    """Write one item under a condition; that it does not hold is no error.

    Args:
        what: as for `calling`.

    Raises:
        AwsUnavailable: the table did not answer.
    """
    write = Write()
    with calling(what):
        try:
            yield write
        except ClientError as error:
            if code_of(error) != f"{_REFUSED}Exception":
                raise
            write.is_done = False
            write.item = error.response.get("Item", {})  # type: ignore[assignment] # not in botocore's type


def refused_items(error: ClientError) -> list[int]:
    """Return the positions of a transaction's items whose conditions did not hold; none if it met another.

    Raises:
        ClientError: the transaction failed for another reason.
    """
    if code_of(error) != "TransactionCanceledException":
        raise error
    # In the order of the items, one for each, whether it was the reason or not.
    reasons: list[Mapping[str, Any]] = error.response.get("CancellationReasons", [])  # type: ignore[assignment]
    return [place for place, reason in enumerate(reasons) if reason.get("Code") == _REFUSED]
