"""Failures that tests order and no API of AWS can cause, such as a function killed while it works.

Tests write the file that the settings name; it is read again whenever it matters. It holds a JSON list of
objects with `id` (any text), `what` (one of `WHAT`), `contains` (texts, each of which must be in a
function's event, in a task's overrides, in an execution's ARN, or in a call's operation and parameters) and
`times` (how often it strikes, 1 unless given). They are plain texts on purpose: a
regular expression that backtracks over an event of megabytes would stop the whole engine. The ids of those
that struck are added to a file beside it, whose name ends with `.struck`, a line for each time: so a test
can see that what it ordered has come.
"""

import json
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

KILL_FUNCTION = "kill-function"
"""The process of a running invocation gets SIGKILL."""
REFUSE_TASK = "refuse-task"
"""A task's image cannot be pulled."""
EXHAUST_TASK = "exhaust-task"
"""A task that is killed says that it ran out of memory, as Fargate does."""
RECLAIM_TASK = "reclaim-task"
"""A task on FARGATE_SPOT is taken back, as soon as it runs and it is ordered."""
REFUSE_CALL = "refuse-call"
"""A call of DynamoDB, S3 or ECS is answered with 500, one of Elastic Load Balancing is throttled."""
LOSE_ANSWER = "lose-answer"
"""A call is made, but the connection ends before its answer is sent."""
EXHAUST_QUOTA = "exhaust-quota"
"""RunTask finds the account's quota of vCPUs used up."""
TIME_OUT = "time-out"
"""The time of an execution is up, whatever limit its machine has."""
NOTE_END = "note-end"
"""Nothing fails: it is noted that an invocation of a function has ended."""
WHAT = (
    KILL_FUNCTION,
    REFUSE_TASK,
    EXHAUST_TASK,
    RECLAIM_TASK,
    EXHAUST_QUOTA,
    REFUSE_CALL,
    LOSE_ANSWER,
    TIME_OUT,
    NOTE_END,
)


def write_orders(file: Path, orders: Sequence[Mapping[str, Any]]) -> None:
    """Put failures in the place of those ordered before, at once: the engine may read at any time."""
    draft = file.with_suffix(".new")
    draft.write_text(json.dumps(orders), encoding="utf-8")
    draft.replace(file)


class Faults:
    """The failures of one file.

    Args:
        file: where they are ordered; None for an engine that has none.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._struck: Counter[str] = Counter()
        self._guard = threading.Lock()

    @property
    def possible(self) -> bool:
        """Whether any failure was ordered."""
        return self._file is not None and self._file.exists()

    def strikes(self, what: str, text: str) -> bool:
        """Return whether an ordered failure is due now, and count it.

        Args:
            what: one of `WHAT`.
        """
        if self._file is None or not self.possible:
            return False
        try:
            orders = json.loads(self._file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            # Taken back in this moment.
            return False
        with self._guard:
            for order in orders:
                if order["what"] != what or not all(part in text for part in order["contains"]):
                    continue
                if self._struck[order["id"]] < order.get("times", 1):
                    self._struck[order["id"]] += 1
                    with self._file.with_suffix(".struck").open("a", encoding="utf-8") as struck:
                        struck.write(f"{order['id']}\n")
                    return True
        return False
