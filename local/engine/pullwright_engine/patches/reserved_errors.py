"""Defects: where an error is passed on, it may not be one of `States.*`.

`ecs:runTask.sync` fails with `States.TaskFailed` and nothing else. A mocked integration (`SFN_MOCK_CONFIG`)
could not throw it; and a branch of a Parallel state that failed with it ended the whole execution, past every
Catch and with the words of the engine's own mistake. On AWS the state fails with the error of its branch:
https://docs.aws.amazon.com/step-functions/latest/dg/state-parallel.html
"""

from typing import Any

from localstack.services.stepfunctions.asl.component.common.error_name.custom_error_name import (
    CustomErrorName,
)
from localstack.services.stepfunctions.asl.component.common.error_name.states_error_name import (
    StatesErrorName,
)
from localstack.services.stepfunctions.asl.component.common.error_name.states_error_name_type import (
    StatesErrorNameType,
)
from localstack.services.stepfunctions.asl.component.state.state_execution.state_parallel import branches_decl
from localstack.services.stepfunctions.asl.component.state.state_execution.state_task import (
    local_mock_eval_utils,
)

_RESERVED = {kind.to_name(): kind for kind in StatesErrorNameType}


def named(error_name: str | None) -> Any:
    """Return an error's name as the engine holds it, be it reserved or not."""
    if error_name in _RESERVED:
        return StatesErrorName(typ=_RESERVED[error_name])
    return CustomErrorName(error_name)


def apply() -> None:
    """Accept reserved error names."""
    for module in (branches_decl, local_mock_eval_utils):
        module.CustomErrorName = named
