"""Defect: a state's retriers go on counting when the execution comes back to the state.

The States Language resets them when the execution goes on to another state: https://states-language.net/#errors
"""

from typing import Any

from localstack.services.stepfunctions.asl.component.state.state_execution import execute_state


def apply() -> None:
    """Reset the counts each time that a state is entered."""
    state_class = execute_state.ExecutionState
    original = state_class._eval_state

    def eval_state(self: Any, env: Any) -> None:
        for retrier in self.retry.retriers if self.retry else ():
            for part in (retrier.max_attempts, retrier.backoff_rate):
                for key in [key for key in env.heap if part.heap_key in key]:
                    del env.heap[key]
        original(self, env)

    state_class._eval_state = eval_state
