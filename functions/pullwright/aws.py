"""AWS clients, made on first use and kept, and what a failed call of theirs becomes."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from pullwright.errors import AwsUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_sts import STSClient

_CONFIG = Config(
    connect_timeout=3,
    read_timeout=10,
    retries={"mode": "standard", "total_max_attempts": 4},
    user_agent_extra="pullwright",
)

_BRIEF = Config(read_timeout=5, retries={"mode": "standard", "total_max_attempts": 2})


@cache
def dynamodb() -> DynamoDBClient:
    """DynamoDB."""
    return boto3.client("dynamodb", config=_CONFIG)


@cache
def s3() -> S3Client:
    """S3, whose addresses are signed by the scheme that every region takes."""
    return boto3.client("s3", config=_CONFIG.merge(Config(signature_version="s3v4")))


@cache
def ecs() -> ECSClient:
    """ECS."""
    return boto3.client("ecs", config=_CONFIG)


@cache
def elbv2() -> Any:
    """Elastic Load Balancing."""
    return boto3.client("elbv2", config=_CONFIG)


@cache
def logs() -> CloudWatchLogsClient:
    """CloudWatch Logs, which nothing waits for that matters."""
    return boto3.client("logs", config=_CONFIG.merge(_BRIEF))


@cache
def secretsmanager() -> SecretsManagerClient:
    """Secrets Manager."""
    return boto3.client("secretsmanager", config=_CONFIG)


@cache
def sqs() -> SQSClient:
    """SQS."""
    return boto3.client("sqs", config=_CONFIG)


@cache
def stepfunctions() -> SFNClient:
    """Step Functions."""
    return boto3.client("stepfunctions", config=_CONFIG)


@cache
def sts() -> STSClient:
    """STS, in this region."""
    return boto3.client("sts", config=_CONFIG)


def code_of(error: ClientError) -> str:
    """Return the error code of a failed call."""
    return error.response.get("Error", {}).get("Code", "")


@contextmanager
def calling(what: str) -> Iterator[None]:
    """Turn a failed AWS call into one of our errors.

    Args:
        what: what is being done, as it stands in "AWS could not …".

    Raises:
        AwsUnavailable: the call failed after botocore's own retries.
    """
    try:
        yield
    except ClientError as error:
        raise AwsUnavailable(f"AWS could not {what} ({code_of(error)}).") from error
    except BotoCoreError as error:
        raise AwsUnavailable(f"AWS could not {what} ({type(error).__name__}).") from error
