"""AWS clients with this session's credentials: they reach its record and its artifacts, nothing else."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import RefreshableCredentials

from runner.clock import CLOCK

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

    from runner.broker import Grants

_CONFIG = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 5})


class Clients:
    """Makes the clients.

    Args:
        grants: where credentials come from; botocore asks again before they end.
        now: the time in UTC.
    """

    def __init__(self, grants: Grants, region: str, now: Callable[[], datetime] = CLOCK.now) -> None:
        session = botocore.session.Session()
        # botocore has no public way to set refreshing credentials on a session.
        session._credentials = _credentials(grants, now)  # type: ignore[attr-defined] # noqa: SLF001
        self._session = boto3.Session(botocore_session=session, region_name=region)

    def s3(self) -> S3Client:
        """Return a client for the session's artifacts."""
        return self._session.client("s3", config=_CONFIG)

    def dynamodb(self) -> DynamoDBClient:
        """Return a client for the session's record."""
        return self._session.client("dynamodb", config=_CONFIG)


def _credentials(grants: Grants, now: Callable[[], datetime]) -> RefreshableCredentials:
    held = grants.aws_metadata()
    return RefreshableCredentials(
        access_key=held["access_key"],
        secret_key=held["secret_key"],
        token=held["token"],
        expiry_time=datetime.fromisoformat(held["expiry_time"]),
        refresh_using=grants.aws_metadata,
        method="pullwright-broker",
        time_fetcher=now,
    )
