"""The stack in AWS that a command works on."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from pullwright import errors
from pullwright_cli.errors import CliError
from pullwright_cli.samconfig import read_section

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import StackTypeDef
    from mypy_boto3_dynamodb import DynamoDBClient

SERVICE = "pullwright"
DEFAULT_ENVIRONMENT = "default"
_STACK_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}")
# In which a stack's outputs are missing, or name what is gone or on its way out.
_INCOMPLETE = frozenset(
    {
        "CREATE_FAILED",
        "CREATE_IN_PROGRESS",
        "DELETE_COMPLETE",
        "DELETE_FAILED",
        "DELETE_IN_PROGRESS",
        "REVIEW_IN_PROGRESS",
        "ROLLBACK_COMPLETE",
        "ROLLBACK_FAILED",
        "ROLLBACK_IN_PROGRESS",
    }
)
_CONFIG = Config(
    connect_timeout=5,
    read_timeout=30,
    retries={"mode": "standard", "total_max_attempts": 5},
    user_agent_extra="pullwright",
)


@dataclass(frozen=True)
class Stack:
    """A stack, and how it is reached. AWS is asked on first use.

    Attributes:
        name: of the stack in CloudFormation.
        region: empty for the one that AWS's own settings name.
        profile: of these settings; empty for the default.
        source: where the name comes from, as it stands in a sentence; empty if the call names it.
    """

    name: str
    region: str = ""
    profile: str = ""
    source: str = ""

    @classmethod
    def resolve(
        cls,
        name: str = "",
        *,
        service: str = "",
        environment: str = "",
        region: str = "",
        profile: str = "",
        folder: Path | None = None,
    ) -> Stack:
        """Find out which stack is meant: by name, by `<service>-<environment>`, or by `samconfig.toml`.

        An environment without a service is a section of `samconfig.toml` first.

        Args:
            folder: where `samconfig.toml` is looked for, here and above.

        Raises:
            CliError: the name is none that a stack can have, or `samconfig.toml` cannot be read.
        """
        source = ""
        if not name and service:
            name = f"{service}-{environment or DEFAULT_ENVIRONMENT}"
        elif not name:
            section = read_section(folder or Path.cwd(), environment or DEFAULT_ENVIRONMENT)
            if section is not None:
                name, source = section.stack, f", which {section.path} names,"
                region, profile = region or section.region, profile or section.profile
            else:
                name = f"{SERVICE}-{environment or DEFAULT_ENVIRONMENT}"
                source = "" if environment else ", which is looked for where no other is named,"
        if not _STACK_NAME.fullmatch(name):
            raise CliError(
                f"{name} is no stack's name: a letter, then letters, digits and hyphens, 128 at most", 2
            )
        return cls(name, region, profile, source)

    @cached_property
    def session(self) -> boto3.Session:
        """What clients are made from."""
        region = self.region or os.environ.get("AWS_REGION")
        return boto3.Session(profile_name=self.profile or None, region_name=region or None)

    @property
    def place(self) -> str:
        """The region that is asked, as it stands in a sentence."""
        return self.session.region_name or "no region"

    @cached_property
    def _clients(self) -> dict[str, Any]:
        return {}

    def client(self, service: str) -> Any:
        """Return a client, made on first use and kept."""
        if service not in self._clients:
            make: Any = self.session.client  # its overloads want the service's name as a literal
            self._clients[service] = make(service, config=_CONFIG)
        return self._clients[service]

    @cached_property
    def description(self) -> StackTypeDef:
        """What CloudFormation says of it.

        Raises:
            StackMissing: there is none of that name.
            StackAmbiguous: nor was one named, and there are several.
            StackIncomplete: it was not created completely, or is being deleted.
        """
        cloudformation = self.client("cloudformation")
        try:
            found: StackTypeDef = cloudformation.describe_stacks(StackName=self.name)["Stacks"][0]
        except ClientError as error:
            # The name has the right form, so that nothing else of the call can be invalid.
            if error.response.get("Error", {}).get("Code") != "ValidationError":
                raise
            raise self._missing() from None
        if found["StackStatus"] in _INCOMPLETE:
            raise errors.StackIncomplete(f"The stack {self.name} in {self.place} is {found['StackStatus']}.")
        return found

    @cached_property
    def outputs(self) -> dict[str, str]:
        """All outputs by name."""
        found = self.description.get("Outputs", [])
        return {it.get("OutputKey", ""): it.get("OutputValue", "") for it in found}

    def output(self, name: str) -> str:
        """Return an output.

        Raises:
            OutputMissing: the stack has none of that name.
        """
        if not self.outputs.get(name):
            raise errors.OutputMissing(f"The stack {self.name}{self.source} has no output {name}.")
        return self.outputs[name]

    def parameter(self, name: str) -> str:
        """Return the value of one of the template's parameters; empty without one."""
        found = self.description.get("Parameters", [])
        return next((it.get("ParameterValue", "") for it in found if it.get("ParameterKey") == name), "")

    def table(self) -> tuple[DynamoDBClient, str]:
        """Return DynamoDB, and the name of the sessions table."""
        return self.client("dynamodb"), self.output("SessionsTable")

    def _missing(self) -> errors.PullwrightError:
        others = self._others()
        text = f"There is no stack {self.name}{self.source} in {self.place}"
        if not others:
            return errors.StackMissing(f"{text}.")
        if self.source and len(others) > 1:
            return errors.StackAmbiguous(f"{text}; there are {', '.join(others)}.")
        return errors.StackMissing(
            f"{text}; there is {', '.join(others)}.", remedy=f"Name it: --stack-name {others[0]}"
        )

    def _others(self) -> list[str]:
        """Return the names of the region's Pullwrights, as far as one may list them."""
        try:
            pages = self.client("cloudformation").get_paginator("describe_stacks").paginate()
            stacks: list[StackTypeDef] = [stack for page in pages for stack in page["Stacks"]]
        except ClientError:
            return []
        return sorted(stack["StackName"] for stack in stacks if _is_pullwright(stack))


def _is_pullwright(stack: StackTypeDef) -> bool:
    outputs = {output.get("OutputKey") for output in stack.get("Outputs", [])}
    return {"AgentRepositoryUri", "SessionsTable", "StateMachineArn"} <= outputs
