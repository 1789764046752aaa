"""Which of the page's example workers each of octokit's example deliveries starts, as a table.

`python -m tests.unit.routing_table` writes it anew; read the difference before it is committed.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pullwright.webhook.answers import Answer, Refused
from pullwright.webhook.decision import Starts, decide
from pullwright.workers.builtin import with_builtin
from pullwright.workers.collection import read_workers
from tests.github_truth.places import EXAMPLES
from tests.unit.webhook_kit import LABEL, SECRET, headers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pullwright.webhook.message import Message
    from pullwright.webhook.start import Start

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "tests/events/routing.txt"
PAGE = ROOT / "docs/workers.md"
_FENCE = re.compile(r"```yaml\n# (\.pullwright/workers/[a-z-]+\.yaml): [^\n]*\n(.*?)```", re.DOTALL)


def examples() -> dict[str, bytes]:
    """Return the files on the page."""
    return {path: text.encode() for path, text in _FENCE.findall(PAGE.read_text())}


def deliveries() -> Iterator[tuple[str, int, dict[str, Any]]]:
    """Yield octokit's examples of GitHub's deliveries: event, number and payload."""
    for event in json.loads(EXAMPLES.read_text()):
        for number, payload in enumerate(event["examples"]):
            yield event["name"], number, payload


def render() -> str:
    """Return the table."""
    collection = read_workers(examples(), lambda _: b"Mend the documentation.")
    workers = with_builtin([worker.worker() for worker in collection.workers], LABEL)
    lines = []
    for event, number, payload in deliveries():
        body = json.dumps({"installation": {"id": 1}, **payload}).encode()
        try:
            decision = decide(
                headers(body, event), body, SECRET, trigger_label=LABEL, workers_of=lambda _: workers
            )
        except Refused as refused:
            told = f"refused: {refused.answer.reason}"
        else:
            if isinstance(decision, Starts):
                told = "starts " + ", ".join(_started(start) for start in decision.starts)
            else:
                told = _said(decision)
        action = payload.get("action")
        lines.append(f"{event}{f'.{action}' if action else ''} [{number}]: {told}")
    return "\n".join(lines) + "\n"


def _said(decision: Message | Answer) -> str:
    """Return what is done instead of starting a worker."""
    if isinstance(decision, Answer):
        return decision.status
    return f"queues {json.loads(decision.message)['kind']}"


def _started(start: Start) -> str:
    """Return a worker's name, with what GitHub is asked first."""
    return " ".join([start.match.worker.id, *(f"?{ask}" for ask in sorted(start.match.asks))])


if __name__ == "__main__":
    TABLE.write_text(render())
