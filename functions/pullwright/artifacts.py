"""What a session leaves in S3, as the functions see it: `request.json` and `result.json`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError
from pydantic import ValidationError

from pullwright.aws import calling, code_of
from pullwright.errors import InternalError, InvalidRequest
from pullwright.evaluation import TASK_FILE, EvaluationTask
from pullwright.models import AgentRequest
from pullwright.results import AgentResult
from pullwright.reviewing.models import Findings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_EXISTS = "PreconditionFailed"
_MISSING = "NoSuchKey"
# HEAD has no body to name the error in.
_ABSENT = frozenset({_MISSING, "404"})
LONGEST_CONVERSATION = 32 * 1024 * 1024
"""What a follow-up goes on with at most, in bytes."""
# Of one object in bytes, far above what a session comes to.
_LARGEST = 32 * 1024 * 1024


def session_prefix(session_id: str) -> str:
    """Return the prefix of a session's objects."""
    return f"sessions/{session_id}/"


class UnreadableResultError(ValueError):
    """`result.json` is there, but it is not an `AgentResult` of this session."""


class Artifacts:
    """The artifacts bucket."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def url(self, session_id: str) -> str:
        """Return the S3 address of a session's artifacts."""
        return f"s3://{self._bucket}/{session_prefix(session_id)}"

    def write_request(self, request: AgentRequest) -> AgentRequest:
        """Write `request.json` unless it is there already; return the one that is there.

        Raises:
            AwsUnavailable: S3 did not take it.
            InternalError: one is there that cannot be read.
        """
        with calling("store the session's request"):
            try:
                self._client.put_object(
                    Bucket=self._bucket,
                    Key=self._key(request.session_id, "request.json"),
                    Body=request.model_dump_json(indent=2).encode(),
                    ContentType="application/json",
                    IfNoneMatch="*",
                )
            except ClientError as error:
                if code_of(error) != _EXISTS:
                    raise
            else:
                return request
        return self.read_request(request.session_id) or request

    def read_request(self, session_id: str) -> AgentRequest | None:
        """Read `request.json`; None if there is none.

        Raises:
            AwsUnavailable: S3 did not give it.
            InternalError: it is not a request.
        """
        content = self._read(session_id, "request.json")
        try:
            return None if content is None else AgentRequest.model_validate_json(content)
        except ValidationError as error:
            raise InternalError("The session's request.json cannot be read.") from error

    def read_task(self, session_id: str) -> EvaluationTask | None:
        """Read the task of a session of an evaluation; None if there is none.

        Raises:
            AwsUnavailable: S3 did not give it.
            InvalidRequest: it is no task.
        """
        content = self._read(session_id, TASK_FILE)
        try:
            return None if content is None else EvaluationTask.model_validate_json(content)
        except ValidationError as error:
            problem = error.errors(include_url=False)[0]
            where = ".".join(map(str, problem["loc"]))
            raise InvalidRequest(
                f"evaluation: {TASK_FILE} of the session is wrong: {where}: {problem['msg']}."
            ) from None

    def read_result(self, session_id: str) -> AgentResult | None:
        """Read `result.json`; None if there is none.

        Raises:
            AwsUnavailable: S3 did not give it.
            UnreadableResultError: it is no result of this session.
        """
        content = self._read(session_id, "result.json")
        if content is None:
            return None
        if len(content) > _LARGEST:
            raise UnreadableResultError("result.json is larger than any result")
        try:
            result = AgentResult.model_validate_json(content)
        except ValidationError as error:
            raise UnreadableResultError("result.json does not have the form of a result") from error
        if result.session_id != session_id:
            raise UnreadableResultError("result.json belongs to another session")
        return result

    def read_findings(self, session_id: str) -> Findings | None:
        """Read `findings.json`; None if there is none that belongs to the session.

        Raises:
            AwsUnavailable: S3 did not give it.
        """
        content = self._read(session_id, "findings.json")
        if content is None or len(content) > _LARGEST:
            return None
        try:
            findings = Findings.model_validate_json(content)
        except ValidationError:
            return None
        return findings if findings.session_id == session_id else None

    def copy_conversation(self, source: str, target: str) -> str | None:
        """Copy a session's conversation to another one, which is to go on with it.

        Args:
            source: the session that has had it.
            target: the session that goes on.

        Returns:
            Why it cannot go on; None if it was copied.

        Raises:
            AwsUnavailable: S3 did not do it.
        """
        key = self._key(source, "conversation.jsonl")
        with calling("copy the earlier conversation"):
            try:
                size = self._client.head_object(Bucket=self._bucket, Key=key)["ContentLength"]
                if size > LONGEST_CONVERSATION:
                    return f"the earlier conversation is too long ({size >> 20} MiB)"
                self._client.copy_object(
                    Bucket=self._bucket,
                    Key=self._key(target, "resumed.jsonl"),
                    CopySource={"Bucket": self._bucket, "Key": key},
                )
            except ClientError as error:
                if code_of(error) not in _ABSENT:
                    raise
                return "the earlier conversation is not kept any more"
        return None

    def _read(self, session_id: str, name: str) -> bytes | None:
        with calling(f"read the session's {name}"):
            try:
                answer = self._client.get_object(Bucket=self._bucket, Key=self._key(session_id, name))
                # No more than shows that it is too large: a task may have filled it without end.
                return answer["Body"].read(_LARGEST + 1)
            except ClientError as error:
                # S3 says this only to a role with s3:ListBucket; to others a missing object is forbidden.
                if code_of(error) == _MISSING:
                    return None
                raise

    @staticmethod
    def _key(session_id: str, name: str) -> str:
        return session_prefix(session_id) + name
