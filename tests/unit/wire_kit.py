"""AWS at the other end of botocore: answers byte by byte, in the form of its protocols."""

from __future__ import annotations

import io
import json
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

import boto3
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from tests.unit import aws_kit
from tests.unit.cli_kit import OUTPUTS

if TYPE_CHECKING:
    from collections.abc import Iterator


class Answer(NamedTuple):
    """An answer of AWS.

    Attributes:
        body: fields for the JSON protocols, else XML.
    """

    status: int
    body: dict[str, Any] | str


def refused(code: str, message: str, status: int = 400, *, as_json: bool = False) -> Answer:
    """Return a refusal in the form of the query protocol and S3, or of the JSON protocols.

    https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#operation-error-serialization
    https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html#operation-error-serialization
    """
    if as_json:
        return Answer(status, {"__type": f"com.amazonaws#{code}", "message": message})
    error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
    return Answer(status, f"<ErrorResponse>{error}<RequestId>1</RequestId></ErrorResponse>")


def stacks(*names: str, status: str = "UPDATE_COMPLETE", without: str = "") -> Answer:
    """Return what CloudFormation says of Pullwright's stacks."""
    outputs = {**OUTPUTS, "AgentRepositoryUri": "uri"}
    members = "".join(
        f"<member><OutputKey>{key}</OutputKey><OutputValue>{value}</OutputValue></member>"
        for key, value in outputs.items()
        if key != without
    )
    described = "".join(
        f"<member><StackName>{name}</StackName><StackStatus>{status}</StackStatus>"
        f"<CreationTime>2026-11-01T00:00:00Z</CreationTime><Outputs>{members}</Outputs></member>"
        for name in names
    )
    result = f"<DescribeStacksResult><Stacks>{described}</Stacks></DescribeStacksResult>"
    return Answer(200, f"<DescribeStacksResponse>{result}</DescribeStacksResponse>")


class _Body(io.BytesIO):
    """A body as urllib3 hands it out."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


class Wire:
    """AWS at the other end of botocore.

    Attributes:
        answers: by operation; "DescribeStacks all" is the call that lists stacks.
        calls: operations in their order.
    """

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.calls: list[str] = []

    def answer(self, request: Any, event_name: str, **_: Any) -> AWSResponse:
        """Return the response of a request."""
        operation = event_name.rpartition(".")[2]
        form = request.body if isinstance(request.body, str) else (request.body or b"").decode()
        if operation == "DescribeStacks" and "StackName" not in parse_qs(form):
            operation = "DescribeStacks all"
        self.calls.append(operation)
        status, body = self.answers[operation]
        content = body if isinstance(body, str) else json.dumps(body)
        headers = HTTPHeaders()
        headers["Content-Type"] = "text/xml" if isinstance(body, str) else "application/x-amz-json-1.0"
        return AWSResponse(request.url, status, headers, _Body(content.encode()))


@cache
def connected() -> tuple[boto3.Session, list[Wire]]:
    """Return a session of boto3, made once, and the list whose last one answers it."""
    made = boto3.Session("AKIDEXAMPLE", "made up", region_name=aws_kit.REGION)
    wires: list[Wire] = []
    # The one that answers changes from test to test.
    answer: Any = lambda **event: wires[-1].answer(**event)  # noqa: E731, PLW0108 - what it returns is sent
    made.events.register("before-send", answer)
    return made, wires
