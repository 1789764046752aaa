"""Reading a session of the local stack from outside: execution, record, logs and artifacts."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pullwright_cli.session
from local.sam import client
from pullwright_cli.session import ENDED

if TYPE_CHECKING:
    from pathlib import Path


@dataclass
class Stack:
    """A running local stack, as `.local/stack.json` describes it."""

    described: dict[str, Any]
    _clients: dict[str, Any] = field(default_factory=dict)
    _sessions: dict[str, Session] = field(default_factory=dict)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def load(cls, folder: Path) -> Stack:
        """Read the stack that lives in a folder.

        Raises:
            FileNotFoundError: no stack is up there.
        """
        path = folder / "stack.json"
        if not path.exists():
            raise FileNotFoundError(f"{path} is missing: no local stack is up; run `make up`")
        return cls(json.loads(path.read_text()))

    def client(self, service: str) -> Any:
        """Return a boto3 client for the stack, made once."""
        with self._guard:
            if service not in self._clients:
                self._clients[service] = client(service, self.described["endpoint_url"])
            return self._clients[service]

    @property
    def outputs(self) -> dict[str, str]:
        """Outputs of the CloudFormation stack."""
        outputs: dict[str, str] = self.described["outputs"]
        return outputs

    def output(self, name: str) -> str:
        """Return an output of the CloudFormation stack."""
        return self.outputs[name]

    @property
    def github_url(self) -> str:
        """Root of the GitHub stand-in."""
        return str(self.described["github_url"])

    @property
    def model_url(self) -> str | None:
        """Root of the model stand-in, None when a real model works."""
        url = self.described.get("model_url")
        return str(url) if url else None

    def executions(self, repository: str, issue: int | None = None) -> list[str]:
        """Return the ARNs of all executions for a repository, oldest first."""
        found = []
        for execution in self._executions():
            arn = execution["executionArn"]
            # An execution's input never changes, so that it is asked for once.
            session = self._sessions.setdefault(arn, Session(self, arn))
            if session.input.get("repository") != repository:
                continue
            if issue is None or session.input.get("issue") == issue:
                found.append((execution["startDate"], arn))
        return [arn for _, arn in sorted(found)]

    def statuses(self) -> dict[str, str]:
        """Return the status of every execution by ARN."""
        return {execution["executionArn"]: execution["status"] for execution in self._executions()}

    def _executions(self) -> list[dict[str, Any]]:
        pages = (
            self.client("stepfunctions")
            .get_paginator("list_executions")
            .paginate(stateMachineArn=self.outputs["StateMachineArn"], maxResults=1000)
        )
        return [execution for page in pages for execution in page["executions"]]

    def start(self, request: dict[str, Any], name: str | None = None) -> Session:
        """Start a session as `aws stepfunctions start-execution` does."""
        extra = {"name": name} if name else {}
        arn = self.client("stepfunctions").start_execution(
            stateMachineArn=self.outputs["StateMachineArn"], input=json.dumps(request), **extra
        )["executionArn"]
        return Session(self, arn)

    def wait_for_execution(self, repository: str, issue: int, seconds: float) -> Session:
        """Wait until a webhook has started a session for an issue.

        Raises:
            TimeoutError: none was started in time.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            arns = self.executions(repository, issue)
            if arns:
                return Session(self, arns[-1])
            time.sleep(0.2)
        raise TimeoutError(f"no session was started for {repository}#{issue} within {seconds:.0f} s")


class Session(pullwright_cli.session.Session):
    """One session of the local stack."""

    stack: Stack

    def wait(self, seconds: float = 120) -> str:
        """Wait for the execution's end and return its status.

        Raises:
            TimeoutError: it has not ended in time.
        """
        deadline = time.monotonic() + seconds
        while (status := self.status()) not in ENDED:
            if time.monotonic() > deadline:
                raise TimeoutError(f"session {self.id} is still {status} after {seconds:.0f} s")
            time.sleep(0.2)
        return status
