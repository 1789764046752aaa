"""Starts sessions: what `run` and `retry` ask Step Functions for."""

from __future__ import annotations

import json
import shlex
import uuid
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import ValidationError

from pullwright import errors
from pullwright.json_object import as_object
from pullwright.models import SessionRequest
from pullwright.worker_names import IMPLEMENT
from pullwright_cli.errors import CliError
from pullwright_cli.session import ENDED, Session

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pullwright_cli.aws import Stack

_LONGEST_NAME = 80
_CUT = 80_000
"""Where the record's copy of an input ends."""
_OPTIONS = {
    "pull_request": "--pr",
    "limits.usd": "--usd",
    "limits.turns": "--turns",
    "limits.minutes": "--minutes",
}
_RELEASE, _STAGING = "EcsTaskDefinitionArn", "EcsStagingTaskDefinitionArn"


class Start(NamedTuple):
    """A session that is to be started, with what it will run on."""

    stack: Stack
    name: str
    input: str

    def as_call(self) -> dict[str, str]:
        """Return StartExecution's arguments."""
        return {
            "stateMachineArn": self.stack.output("StateMachineArn"),
            "name": self.name,
            "input": self.input,
        }

    def as_line(self) -> str:
        """Return the same call as a line for a shell."""
        call = self.as_call()
        return aws_line(
            self.stack,
            *("stepfunctions", "start-execution", "--state-machine-arn", call["stateMachineArn"]),
            *("--name", self.name, "--input", self.input),
        )

    def as_json(self) -> dict[str, Any]:
        """Return the exact request and what it resolves to.

        Raises:
            OutputMissing: the stack lacks one of them.
        """
        output = self.stack.output
        is_staging = json.loads(self.input).get("image") == "staging"
        return {
            "stack": self.stack.name,
            "region": self.stack.place,
            "request": self.as_call(),
            "resolved": {
                "cluster": output("EcsClusterArn"),
                "task_definition": output(_STAGING if is_staging else _RELEASE),
                "subnets": output("EcsSubnetIdsCsv").split(","),
                "security_group": output("EcsSecurityGroupId"),
                "table": output("SessionsTable"),
                "bucket": output("ArtifactsBucket"),
            },
            "command": self.as_line(),
        }

    def begin(self) -> Session:
        """Start it; a repetition of the call starts nothing twice, as it has the same name."""
        self.as_json()
        arn = self.stack.client("stepfunctions").start_execution(**self.as_call())["executionArn"]
        return Session(self.stack, arn)


def asked_for(stack: Stack, fields: Mapping[str, Any]) -> Start:
    """Return the start of a session that somebody asks for.

    Args:
        fields: of `SessionRequest`; those that are None or empty are left out.

    Raises:
        CliError: a field is wrong, or there is nothing to do.
    """
    request = {name: value for name, value in fields.items() if value not in (None, "", False, {})}
    try:
        SessionRequest.model_validate(request)
    except ValidationError as error:
        raise CliError(_problems(error), 2) from None
    subject = request.get("issue") or request.get("pull_request") or "prompt"
    return Start(stack, _name(request.get("worker", IMPLEMENT), subject), _compact(request))


def again(stack: Stack, session: Session) -> Start:
    """Return the start of a session with another one's input.

    One that began with a prompt alone goes on with the pull request that came of it.

    Raises:
        SessionMissing: nobody knows it.
        ExecutionForgotten: what was asked for is not kept any more.
        NothingToDo: it has not ended.
    """
    record = session.record()
    try:
        described = session.description()
        if described["status"] not in ENDED:
            raise errors.NothingToDo(f"The session {session.id} is still at work.")
        request = session.input
    except errors.ExecutionForgotten:
        if record.is_missing:
            raise errors.SessionMissing(f"There is no session {session.id} in this stack.") from None
        request = record.request if len(record.input or "") < _CUT else {}
        if not request:
            raise
    if not {"issue", "pull_request", "jira"} & set(request) and record.pull_request:
        request = {**request, "pull_request": record.pull_request}
    in_jira = as_object(request.get("jira")).get("key")
    subject = request.get("issue") or request.get("pull_request") or in_jira or "prompt"
    return Start(stack, _name(str(request.get("worker") or IMPLEMENT), subject), _compact(request))


def aws_line(stack: Stack, *words: str) -> str:
    """Return a call of the AWS CLI that does the same, for a shell."""
    place = [("--region", stack.region), ("--profile", stack.profile)]
    return shlex.join(["aws", *words, *(word for pair in place if pair[1] for word in pair)])


def _name(worker: str, subject: Any) -> str:
    return f"{worker}-{subject}-{uuid.uuid4()}"[-_LONGEST_NAME:].lstrip("-")


def _compact(request: Mapping[str, Any]) -> str:
    return json.dumps(request, separators=(",", ":"), ensure_ascii=False)


def _problems(error: ValidationError) -> str:
    return "; ".join(_problem(problem["loc"], problem["msg"]) for problem in error.errors())


def _problem(place: Sequence[int | str], message: str) -> str:
    name = ".".join(map(str, place))
    message = message.removeprefix("Value error, ")
    if not name:
        return f'{message}: --issue N, --pr N or "what to do"'
    return f"{_OPTIONS.get(name, f'--{name}')}: {message}"
