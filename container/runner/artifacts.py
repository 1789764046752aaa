"""The session's artifacts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from botocore.exceptions import ClientError
from pydantic import BaseModel, ValidationError

from pullwright.aws import calling, code_of
from pullwright.errors import AwsUnavailable, InternalError
from pullwright.log import scrub_known
from pullwright.models import AgentRequest
from pullwright.results import AgentPlan, AgentResult, SessionUsage
from runner.log import logger

if TYPE_CHECKING:
    from pathlib import Path

    from mypy_boto3_s3 import S3Client

    from pullwright.reviewing.models import Findings

_Model = TypeVar("_Model", bound=BaseModel)
# S3 says the first to a role with s3:ListBucket; to others a missing object is forbidden.
_MISSING = frozenset({"NoSuchKey", "AccessDenied"})
_TYPES = {
    ".json": "application/json",
    ".jsonl": "application/x-ndjson",
    ".patch": "text/x-diff; charset=utf-8",
    ".md": "text/markdown; charset=utf-8",
    ".log": "text/plain; charset=utf-8",
}


class Store(Protocol):
    """Where the artifacts of one session are."""

    def read(self, name: str, task: str) -> bytes | None:
        """Return an artifact's content; None if there is none of that name.

        Args:
            task: what it is read for, as it stands in "AWS could not …".

        Raises:
            AwsUnavailable: the store did not answer.
        """

    def write(self, name: str, content: bytes, kind: str) -> None:
        """Write an artifact.

        Args:
            kind: its media type.

        Raises:
            AwsUnavailable: the store did not take it.
        """


class BucketStore:
    """The session's part of the bucket."""

    def __init__(self, s3: S3Client, *, bucket: str, session_id: str) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._prefix = f"sessions/{session_id}/"

    def read(self, name: str, task: str) -> bytes | None:
        """See `Store`."""
        with calling(task):
            try:
                response = self._s3.get_object(Bucket=self._bucket, Key=f"{self._prefix}{name}")
                return response["Body"].read()
            except ClientError as error:
                if code_of(error) not in _MISSING:
                    raise
                return None

    def write(self, name: str, content: bytes, kind: str) -> None:
        """See `Store`."""
        with calling(f"keep the artifact {name}"):
            self._s3.put_object(
                Bucket=self._bucket, Key=f"{self._prefix}{name}", Body=content, ContentType=kind
            )


class Artifacts:
    """The artifacts of one session."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept: dict[str, tuple[int, int]] = {}

    def request(self) -> AgentRequest:
        """Read what is to be done.

        Raises:
            AwsUnavailable: S3 did not give it.
            InternalError: it is not a request that this runner understands.
        """
        content = self._store.read("request.json", "read the session's request")
        if content is None:
            raise AwsUnavailable("The session's request is not there.")
        try:
            return AgentRequest.model_validate_json(content)
        except ValidationError as error:
            fields = ", ".join(sorted({".".join(map(str, e["loc"])) for e in error.errors()}))
            raise InternalError(
                f"The session's request is not one that this runner understands: {fields}.",
                remedy="Ask the operator to deploy stack and image of the same version.",
            ) from None

    def earlier_result(self) -> AgentResult | None:
        """Return what another task of the session has left, or None if it did not come to its end.

        Raises:
            AwsUnavailable: S3 did not answer.
        """
        return self._earlier(AgentResult, "result.json", "look for an earlier result")

    def earlier_usage(self) -> SessionUsage:
        """Return what earlier tasks of the session have used, as far as they kept it.

        Raises:
            AwsUnavailable: S3 did not answer.
        """
        return self._earlier(SessionUsage, "usage.json", "look for what earlier tasks used") or SessionUsage()

    def earlier_conversation(self, path: Path) -> bool:
        """Write the conversation that the session goes on with to a file; False if there is none.

        Raises:
            AwsUnavailable: S3 did not give it.
        """
        content = self._store.read("resumed.jsonl", "read the earlier conversation")
        if content is not None:
            path.write_bytes(content)
        return content is not None

    def earlier_plan(self) -> AgentPlan | None:
        """Return the plan that an earlier task of the session has made; None if there is none.

        Raises:
            AwsUnavailable: S3 did not answer.
        """
        return self._earlier(AgentPlan, "plan.json", "look for an earlier plan")

    def put_plan(self, plan: AgentPlan) -> None:
        """Write `plan.json`.

        Raises:
            AwsUnavailable: S3 did not take it.
        """
        self._put("plan.json", plan.model_dump_json(indent=2).encode())

    def put_usage(self, usage: SessionUsage) -> None:
        """Write `usage.json`.

        Raises:
            AwsUnavailable: S3 did not take it.
        """
        self._put("usage.json", usage.model_dump_json(indent=2).encode())

    def put_result(self, result: AgentResult) -> None:
        """Write `result.json`.

        Raises:
            AwsUnavailable: S3 did not take it.
        """
        self._put("result.json", result.model_dump_json(indent=2).encode())

    def put_findings(self, findings: Findings) -> None:
        """Write `findings.json`.

        Raises:
            AwsUnavailable: S3 did not take it.
        """
        self._put("findings.json", findings.model_dump_json(indent=2).encode())

    def put_file(self, path: Path) -> None:
        """Write a file under its own name; one that does not exist is written empty.

        Raises:
            AwsUnavailable: S3 did not take it.
        """
        self._put(path.name, path.read_bytes() if path.exists() else b"")

    def put_if_changed(self, path: Path) -> None:
        """Write a file as `put_file` does if it exists and is not what this method wrote last.

        Raises:
            AwsUnavailable: S3 did not take it.
        """
        if not path.exists():
            return
        state = path.stat()
        seen = (state.st_size, state.st_mtime_ns)
        if self._kept.get(path.name) != seen:
            self.put_file(path)
            self._kept[path.name] = seen

    def _earlier(self, model: type[_Model], name: str, task: str) -> _Model | None:
        """Read what an earlier task wrote; None if it wrote nothing of that form."""
        content = self._store.read(name, task)
        if content is None:
            return None
        try:
            return model.model_validate_json(content)
        except ValidationError:
            logger.warning("what an earlier task wrote cannot be read", name=name)
            return None

    def _put(self, name: str, content: bytes) -> None:
        kind = _TYPES[name[name.rindex(".") :]]
        text = content.decode("latin-1")
        # What only looks like a secret stays: a patch has to fit the files that it is made for.
        self._store.write(name, scrub_known(text).encode("latin-1"), kind)
