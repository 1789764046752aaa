"""Defect: a mocked integration (`SFN_MOCK_CONFIG`) may not throw `States.*` errors.

`ecs:runTask.sync` fails with `States.TaskFailed` and nothing else, so without this its failures cannot be
mocked.
"""

from typing import Any

from localstack.services.stepfunctions.asl.component.common.error_name.states_error_name import (
    StatesErrorName,
)
from localstack.services.stepfunctions.asl.component.common.error_name.states_error_name_type import (
    StatesErrorNameType,
)
from localstack.services.stepfunctions.asl.component.state.state_execution.state_task import (
    local_mock_eval_utils,
)


def apply() -> None:
    """Accept reserved error names."""
    custom = local_mock_eval_utils.CustomErrorName
    reserved = {kind.to_name(): kind for kind in StatesErrorNameType}

    def error_name(name: str) -> Any:
        return StatesErrorName(typ=reserved[name]) if name in reserved else custom(name)

    local_mock_eval_utils.CustomErrorName = error_name
