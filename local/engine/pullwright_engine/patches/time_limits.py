"""Not a defect: let the time of an execution be up when a test orders it.

With a limit in seconds it depends on how quick the machine is which state it meets.
"""

import math
import threading
import time
from typing import Any

from localstack.services.stepfunctions.asl.component.eval_component import EvalComponent
from localstack.services.stepfunctions.asl.component.program.program import Program
from localstack.utils.threads import TMP_THREADS

from pullwright_engine.faults import TIME_OUT
from pullwright_engine.settings import faults

LOOK_SECONDS = 0.2
"""How often an execution looks whether its end was ordered."""


def _is_up(env: Any, deadline: float) -> bool:
    arn = env.states.context_object.context_object_data["Execution"]["Id"]
    return time.monotonic() >= deadline or faults().strikes(TIME_OUT, arn)


def apply() -> None:
    """Wait for the end of an execution as before, and look for orders meanwhile."""
    original = Program.eval

    def evaluate(self: Any, env: Any) -> None:
        if env.is_frame() or not faults().possible:
            original(self, env)
            return
        limit = self.timeout_seconds.timeout_seconds if self.timeout_seconds else math.inf
        deadline = time.monotonic() + limit
        env.next_state_name = self.start_at.start_at_name
        worker = threading.Thread(target=EvalComponent.eval, args=(self, env), daemon=True)
        TMP_THREADS.append(worker)
        worker.start()
        while worker.is_alive():
            worker.join(min(LOOK_SECONDS, max(deadline - time.monotonic(), 0.0)))
            if worker.is_alive() and _is_up(env, deadline):
                env.set_timed_out()
                return

    Program.eval = evaluate
