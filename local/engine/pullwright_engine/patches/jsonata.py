"""Gap: JSONata runs in a JVM that LocalStack would download. Here it runs in Python.

Defects mended with it: a string variable was pasted between quotes without escaping, so that a quotation
mark in somebody's issue broke (or changed) the expression; `$states` inside square brackets was not seen and
so came out empty; and a failed evaluation surfaced as `States.Runtime`, where AWS says
`States.QueryEvaluationError`.
"""

import json
import re
from typing import Any

from jsonata import Jsonata
from localstack.aws.api.stepfunctions import EvaluationFailedEventDetails, HistoryEventType
from localstack.services.stepfunctions.asl.component.common.error_name.failure_event import (
    FailureEvent,
    FailureEventException,
)
from localstack.services.stepfunctions.asl.component.common.error_name.states_error_name import (
    StatesErrorName,
)
from localstack.services.stepfunctions.asl.component.common.error_name.states_error_name_type import (
    StatesErrorNameType,
)
from localstack.services.stepfunctions.asl.component.common.string import string_expression
from localstack.services.stepfunctions.asl.eval import states, variable_store
from localstack.services.stepfunctions.asl.eval.event.event_detail import EventDetails
from localstack.services.stepfunctions.asl.jsonata import jsonata


def _plain(value: Any) -> Any:
    """JSONata's own sequences and mappings as JSON has them."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def evaluate(expression: str) -> Any:
    """The value of an expression, as plain JSON values.

    Args:
        expression: with its variables declared in it.

    Raises:
        JSONataException: it cannot be parsed or evaluated.
    """
    try:
        return json.loads(json.dumps(_plain(Jsonata(expression).evaluate(None)), default=str))
    except Exception as error:
        # The library raises its own errors as well as Python's; all of them mean the same.
        raise jsonata.JSONataException("UNKNOWN", str(error)) from error


def declare(bindings: dict[str, Any]) -> str:
    """Variables as declarations in front of an expression; JSON literals are JSONata literals.

    Args:
        bindings: names (with `$`) and values.
    """
    return "".join(
        f"{name}:={json.dumps(value, separators=(',', ':'), default=str)};"
        for name, value in bindings.items()
    )


_TEXT = re.compile(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'")
_NAME = re.compile(r"\$[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")


def names_in(expression: str) -> set[str]:
    """The variables that an expression may refer to, wherever they stand in it; too many do no harm.

    Args:
        expression: JSONata.
    """
    return set(_NAME.findall(_TEXT.sub("''", expression)))


def _evaluation_failed(env: Any, expression: str, error: Exception) -> FailureEventException:
    name = StatesErrorName(typ=StatesErrorNameType.StatesQueryEvaluationError)
    details = EventDetails(
        evaluationFailedEventDetails=EvaluationFailedEventDetails(
            error=name.error_name,
            cause=f"The JSONata expression '{expression}' threw an error: {getattr(error, 'details', error)}",
        )
    )
    env.event_manager.add_event(
        context=env.event_history_context,
        event_type=HistoryEventType.EvaluationFailed,
        event_details=details,
    )
    return FailureEventException(
        FailureEvent(
            env=env, error_name=name, event_type=HistoryEventType.EvaluationFailed, event_details=details
        )
    )


def apply() -> None:
    """Replace the evaluator, the declarations and the name of the failure."""
    jsonata._eval_jsonata = evaluate
    for module in (jsonata, states, variable_store):
        module.encode_jsonata_variable_declarations = declare

    original_references = string_expression.extract_jsonata_variable_references
    string_expression.extract_jsonata_variable_references = lambda expression: (
        original_references(expression) | names_in(expression)
    )
    original = string_expression.StringJSONata._eval_body

    def eval_body(self: Any, env: Any) -> None:
        try:
            original(self, env)
        except jsonata.JSONataException as error:
            raise _evaluation_failed(env, self.expression, error) from error

    string_expression.StringJSONata._eval_body = eval_body
