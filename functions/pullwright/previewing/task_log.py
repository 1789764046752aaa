"""The last lines that a preview's task wrote, as they stand in the comment on its pull request.

They are foreign text: whoever can push the branch chooses them. Here they become lines that can be seen;
`pullwright.markdown.verbatim` makes them harmless.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from pullwright.aws import calling, code_of
from pullwright.errors import AwsUnavailable
from pullwright.json_object import decode_object
from pullwright.log import logger, scrub
from pullwright.previewing.steps import step_in
from pullwright.text import printable, unstyled

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_logs import CloudWatchLogsClient

    from pullwright.previewing.steps import Begun

MOST_LINES = 40
_LONGEST_LINE = 500
_WHOLE_PAGE = 10_000
# A page may be empty although there are more:
# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogEvents.html
_MOST_PAGES = 5
_PREFIX = "preview/preview"
_MISSING = "ResourceNotFoundException"


class TaskLog:
    """The log of the previews' tasks.

    Args:
        client: gives a client of CloudWatch Logs when it is needed.
        group: name of the log group.
    """

    def __init__(self, client: Callable[[], CloudWatchLogsClient], group: str) -> None:
        self._client = client
        self._group = group

    def place(self, task_id: str) -> str:
        """Return the names of group and stream of a task."""
        return f"{self._group} {_PREFIX}/{task_id}"

    def last_lines(self, task_id: str) -> list[str] | None:
        """Return the last lines of a task, without secrets; None if they cannot be read.

        Nobody's preview depends on them, so no failure of AWS is passed on.
        """
        try:
            messages = self._messages(task_id)
        except AwsUnavailable as error:
            logger.warning("the log of a task cannot be read", error=error.sentence)
            return None
        # Secrets first: one that is cut in two is not known any more.
        text = scrub("\n".join(map(_readable, messages)))
        return [_shortened(line) for line in text.split("\n") if line.strip()][-MOST_LINES:]

    def step(self, task_id: str) -> Begun | None:
        """Return the step that a task told last; None if it told none, or the log cannot be read."""
        try:
            messages = self._messages(task_id, _WHOLE_PAGE)
        except AwsUnavailable as error:
            logger.warning("the step of a task cannot be read", error=error.sentence)
            return None
        return next(filter(None, map(step_in, reversed(messages))), None)

    def _messages(self, task_id: str, most: int = MOST_LINES) -> list[str]:
        """Return the newest messages of a task, none if it has no log."""
        messages: list[str] = []
        token = ""
        for _ in range(_MOST_PAGES):
            with calling("read the log of a preview's task"):
                try:
                    page = self._client().get_log_events(
                        logGroupName=self._group,
                        logStreamName=f"{_PREFIX}/{task_id}",
                        startFromHead=False,
                        limit=most,
                        **({"nextToken": token} if token else {}),  # type: ignore[arg-type] # one key
                    )
                except ClientError as error:
                    if code_of(error) == _MISSING:
                        break
                    raise
            messages = [str(event.get("message", "")) for event in page["events"]] + messages
            if len(messages) >= min(most, MOST_LINES) or page["nextBackwardToken"] == token:
                break
            token = page["nextBackwardToken"]
        return messages


def _readable(message: str) -> str:
    """Return a message as a terminal would show it, and the runner's own as a sentence."""
    own = decode_object(message)
    if own.get("service") == "runner":
        reason = own.get("reason")
        return f"[pullwright] {own.get('message')}" + (f": {reason}" if reason else "")
    # What a progress bar wrote before is written over.
    shown = [line.rstrip("\r").rpartition("\r")[2] for line in unstyled(message).split("\n")]
    return printable("\n".join(shown))


def _shortened(line: str) -> str:
    left_out = len(line) - _LONGEST_LINE
    return line if left_out <= 0 else f"{line[:_LONGEST_LINE]}… ({left_out} characters left out)"
