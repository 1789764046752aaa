"""The stack in AWS that a command works on."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from pullwright.errors import PullwrightError
from pullwright_cli.errors import CliError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

DEFAULT_STACK = "pullwright-default"
_UNREACHABLE = 3


class Stack(NamedTuple):
    """A stack, and how it is reached.

    Attributes:
        name: of the stack in CloudFormation.
        region: empty for the one that AWS's own settings name.
        profile: of these settings; empty for the default.
    """

    name: str = DEFAULT_STACK
    region: str = ""
    profile: str = ""

    def session(self) -> boto3.Session:
        """Return what clients are made from."""
        return boto3.Session(profile_name=self.profile or None, region_name=self.region or None)

    def table(self) -> tuple[DynamoDBClient, str]:
        """Return DynamoDB, and the name of the sessions table.

        Raises:
            CliError: the stack has none.
        """
        session = self.session()
        found = session.client("cloudformation").describe_stacks(StackName=self.name)["Stacks"][0]
        outputs = {it.get("OutputKey"): it.get("OutputValue") for it in found.get("Outputs", [])}
        table = outputs.get("SessionsTable")
        if not table:
            raise CliError(f"the stack {self.name} has no output SessionsTable: is it a Pullwright?")
        return session.client("dynamodb"), table


@contextmanager
def explained(stack: Stack) -> Iterator[None]:
    """Turn a failure of AWS into a sentence and exit code 3.

    Raises:
        CliError: AWS could not be asked, or refused.
    """
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise CliError(
            f"{error}. Name the stack with --stack-name (it was {stack.name}), --region and --profile, and "
            "have credentials that may read it and write its table",
            _UNREACHABLE,
        ) from None
    except PullwrightError as error:
        raise CliError(f"{error.sentence} {error.remedy}", _UNREACHABLE) from None
