"""Gap: JSONata runs in a JVM that LocalStack would download. Here it runs in Python.

LocalStack also pastes all variables into the text of each expression and parses that anew, twice where it
comes to a string. Here an expression is parsed once and its variables are bound to it.

Defects mended with it: a string variable was pasted between quotes without escaping, so that a quotation
mark in somebody's issue broke (or changed) the expression; `$states` inside square brackets was not seen and
so came out empty; and a failed evaluation surfaced as `States.Runtime`, where AWS says
`States.QueryEvaluationError`.
"""

import re
from collections import defaultdict, deque
from functools import cache
from typing import Any

from jsonata import Jsonata
from jsonata.utils import Utils
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
from localstack.services.stepfunctions.asl.component.common.query_language import QueryLanguageMode
from localstack.services.stepfunctions.asl.component.common.string.string_expression import (
    StringJSONata,
    StringVariableSample,
)
from localstack.services.stepfunctions.asl.component.intrinsic.jsonata import (
    get_intrinsic_functions_declarations,
)
from localstack.services.stepfunctions.asl.eval.event.event_detail import EventDetails
from localstack.services.stepfunctions.asl.jsonata.jsonata import extract_jsonata_variable_references

_TEXT = re.compile(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'")
_NAME = re.compile(r"\$[A-Za-z_]\w*")
_PARSED: defaultdict[str, deque[Jsonata]] = defaultdict(deque)
"""Parsed expressions that nobody evaluates now: one of them serves one thread at a time."""


class EvaluationError(Exception):
    """An expression has no value.

    Args:
        why: ends the sentence that begins with "The JSONata expression '…'".
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@cache
def _complete(expression: str) -> str:
    """Return the expression with the functions of Step Functions that it may call declared in front of it."""
    extract_jsonata_variable_references(expression)  # which refuses `$` and `$$`, as AWS does
    names = set(_NAME.findall(_TEXT.sub("''", expression)))
    return f"({get_intrinsic_functions_declarations(names)}{expression})"


def _taken(text: str) -> Jsonata:
    """Take a parsed expression out of the pool, for one thread at a time."""
    try:
        parsed = _PARSED[text].pop()
    except IndexError:
        parsed = Jsonata(text)
        parsed.set_output_convert_nulls(False)
    # The library's functions look here for the expression that calls them.
    Jsonata.CURRENT.jsonata = parsed
    return parsed


def _bound(value: Any) -> Any:
    """Return a value as JSONata wants it: None would be no value at all, and a time of boto3's is no JSON."""
    if isinstance(value, dict):
        return {key: _bound(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_bound(item) for item in value]
    if value is None:
        return Utils.NULL_VALUE
    return value if isinstance(value, (str, int, float)) else str(value)


def _plain(value: Any) -> Any:
    """Return a value of JSONata, which has sequences and nulls of its own, as JSON has it."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return None if value is Utils.NULL_VALUE else value


def evaluate(expression: str, variables: dict[str, Any]) -> Any:
    """Return the value of an expression, as plain JSON values.

    Args:
        expression: JSONata.
        variables: their values by name, without `$`.

    Raises:
        EvaluationError: it cannot be parsed or evaluated, or comes to nothing that JSON knows.
    """
    text = _complete(expression)
    try:
        parsed = _taken(text)
        value = parsed.evaluate(None, {name: _bound(item) for name, item in variables.items()})
    except Exception as error:
        # The library raises its own errors as well as Python's; all of them mean the same.
        raise EvaluationError(f"threw an error: {error}") from error
    _PARSED[text].append(parsed)
    if value is None:
        raise EvaluationError("returned nothing (undefined).")
    if Utils.is_function(value):
        raise EvaluationError("returned an unsupported result type.")
    return _plain(value)


def _evaluation_failed(env: Any, expression: str, error: EvaluationError) -> FailureEventException:
    name = StatesErrorName(typ=StatesErrorNameType.StatesQueryEvaluationError)
    details = EventDetails(
        evaluationFailedEventDetails=EvaluationFailedEventDetails(
            error=name.error_name, cause=f"The JSONata expression '{expression}' {error.why}"
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


def _push(env: Any, expression: str, *, knows_states: bool) -> None:
    store = env.variable_store
    variables = {**store._outer_scope, **store._inner_scope}
    if knows_states:
        variables["states"] = env.states._states_data
    try:
        env.stack.append(evaluate(expression, variables))
    except EvaluationError as error:
        raise _evaluation_failed(env, expression, error) from error


def apply() -> None:
    """Replace the evaluation of both kinds of expressions."""

    def expression_body(self: Any, env: Any) -> None:
        _push(env, self.expression, knows_states=True)

    def sample_body(self: Any, env: Any) -> None:
        _push(env, self.expression, knows_states=self.query_language_mode == QueryLanguageMode.JSONata)

    StringJSONata._eval_body = expression_body
    StringVariableSample._eval_body = sample_body
