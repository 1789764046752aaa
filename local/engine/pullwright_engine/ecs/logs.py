"""The `awslogs` driver: a container's output, line by line, in CloudWatch Logs."""

import threading
import time
from pathlib import Path
from typing import IO, Any

from botocore.exceptions import ClientError

from pullwright_engine.ecs.errors import StartError

FLUSH_SECONDS = 0.5
BATCH = 500


class LogStream:
    """Takes a container's output and passes it on; also keeps a plain copy in a file.

    Args:
        client: CloudWatch Logs, or `None` when the container has no log driver.
    """

    def __init__(self, copy: Path, client: Any = None, group: str = "", name: str = "") -> None:
        self._copy = copy
        self._client = client
        self.group = group
        self.name = name
        self._events: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        self._ended = threading.Event()

    def open(self, *, create_group: bool) -> None:
        """Make the stream.

        Args:
            create_group: `awslogs-create-group` of the definition.

        Raises:
            StartError: the group does not exist, as ECS says it.
        """
        if self._client is None:
            return
        try:
            if create_group:
                self._make(self._client.create_log_group)
            self._make(self._client.create_log_stream, logStreamName=self.name)
        except ClientError as error:
            raise StartError(
                "ResourceInitializationError: failed to validate logger args: create stream has been retried "
                f"1 times: failed to create Cloudwatch log stream: {error.response['Error']['Code']}"
            ) from error

    def _make(self, call: Any, **arguments: Any) -> None:
        try:
            call(logGroupName=self.group, **arguments)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceAlreadyExistsException":
                raise

    def pump(self, output: IO[bytes]) -> None:
        """Read to the end of the output, which comes when the last process that holds it is gone."""
        flusher = threading.Thread(target=self._flush_regularly, daemon=True)
        flusher.start()
        self._copy.parent.mkdir(parents=True, exist_ok=True)
        with output, self._copy.open("ab") as copy:
            for line in output:
                copy.write(line)
                copy.flush()
                message = line.decode("utf-8", "replace").rstrip("\r\n")
                if message:
                    with self._lock:
                        self._events.append({"timestamp": int(time.time() * 1000), "message": message})
        self._ended.set()
        flusher.join()

    def _flush_regularly(self) -> None:
        while not self._ended.wait(FLUSH_SECONDS):
            self._flush()
        self._flush()

    def _flush(self) -> None:
        with self._lock:
            events, self._events = self._events, []
        if self._client is None:
            return
        for start in range(0, len(events), BATCH):
            try:
                self._client.put_log_events(
                    logGroupName=self.group, logStreamName=self.name, logEvents=events[start : start + BATCH]
                )
            except ClientError:
                # The group was deleted under a running task: its copy on disk still has every line.
                return
