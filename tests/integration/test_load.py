"""Many deliveries at once, duplicates among them: `make load`, small."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.benchmarks.loading.plan import prepare
from tests.benchmarks.loading.send import send
from tests.benchmarks.loading.tally import tally, wait

if TYPE_CHECKING:
    from local.sessions import Stack

DELIVERIES, ISSUES, DUPLICATES = 20, 4, 0.25


@pytest.mark.usefixtures("stubs")
def test_a_burst_with_duplicates_loses_and_doubles_nothing(stack: Stack) -> None:
    """Each delivery becomes one execution, each issue one pull request with one tracking comment."""
    plan = prepare(stack, deliveries=DELIVERIES, issues=ISSUES, duplicates=DUPLICATES, seed=1)
    sent = send(stack, plan.deliveries, senders=4)
    wait(stack, sent.accepted, 240, lambda _text: None)
    found = tally(stack, plan, sent.accepted)

    assert found.lost == []
    assert found.doubled == []
    assert (found.executions, found.sessions, found.pull_requests) == (15, 15, ISSUES)
