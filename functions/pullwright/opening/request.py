"""Reads an execution's input; an error names the field that is wrong."""

import json
from difflib import get_close_matches
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from pullwright.claims import SESSION_ID
from pullwright.errors import InvalidRequest
from pullwright.models import SessionRequest
from pullwright.settings import OpenPullRequestSettings
from pullwright.text import plain_line, printable

_ModelT = TypeVar("_ModelT", bound=BaseModel)
_MOST_PROBLEMS = 3
_LONGEST_VALUE = 60
_LONGEST_LOGIN = 64


def check_session_id(session_id: str) -> None:
    """Refuse an execution's name that cannot be used as a session's id.

    Step Functions takes more: dots, `@`, `=`, letters of all scripts. The task, queue and logs do not, which
    would only be found out after branch, pull request and task were made.
    https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html

    Raises:
        InvalidRequest: the name has other characters than ASCII letters, digits, dashes and underscores.
    """
    if SESSION_ID.fullmatch(session_id) is None:
        raise InvalidRequest(
            f"name: the execution is called {_shown(session_id)}; as the session's id, its name may have "
            "only the letters a to z and A to Z, digits, dashes and underscores.",
            remedy="Start it again under another name, or without one.",
        )


def read_request(document: Any) -> SessionRequest:
    """Read the input of a session's execution.

    Raises:
        InvalidRequest: its sentence names each field that is wrong, its value, and what is expected.
    """
    return read_input(SessionRequest, document)


def read_input(model: type[_ModelT], document: Any) -> _ModelT:
    """Read the input of an execution.

    Args:
        document: the input as the state machine passed it on: any JSON value.

    Raises:
        InvalidRequest: its sentence names each field that is wrong, its value, and what is expected.
    """
    try:
        # Read as JSON, where strictness knows numbers, text and objects apart but accepts times as text.
        return model.model_validate_json(json.dumps(document))
    except ValidationError as error:
        problems = error.errors(include_url=False)
        sentences = [_sentence(problem, model) for problem in problems[:_MOST_PROBLEMS]]
        if len(problems) > _MOST_PROBLEMS:
            sentences.append(f"{len(problems) - _MOST_PROBLEMS} more fields are wrong.")
        raise InvalidRequest(" ".join(sentences)) from None


def readable(request: SessionRequest) -> SessionRequest:
    """Return the request without invisible characters in what the agent will read.

    Raises:
        InvalidRequest: nothing of the prompt can be seen.
    """
    prompt = None if request.prompt is None else printable(request.prompt).strip()
    if prompt == "":
        raise InvalidRequest("prompt: there is nothing in it but invisible characters.")
    requested_by = plain_line(request.requested_by, _LONGEST_LOGIN) or None
    return request.model_copy(update={"prompt": prompt, "requested_by": requested_by})


def record_fields(request: SessionRequest, settings: OpenPullRequestSettings) -> dict[str, Any]:
    """Return what a session's record holds of its request."""
    return {
        "repository": request.repository,
        "issue": request.issue,
        "jira": request.jira.key if request.jira is not None else None,
        "requested_by": request.requested_by,
        "worker": request.worker,
        "provider": settings.model_provider,
        "model": request.model or settings.model_id,
        "stub": request.stub or settings.stub_sessions,
        "evaluation": None if request.evaluation is None else request.evaluation.id,
    }


def _sentence(problem: ErrorDetails, model: type[BaseModel]) -> str:
    field = plain_line(".".join(str(part) for part in problem["loc"]), _LONGEST_VALUE)
    match problem["type"]:
        case "missing":
            return f"{field}: this field is missing."
        case "extra_forbidden":
            return f"{field}: there is no such field.{_hint(field, model)}"
        case "value_error":
            # Our own validators name the fields themselves.
            return f"{str(problem['ctx']['error']).capitalize()}."
        case "model_type" | "model_attributes_type":
            place = field or "The input"
            return f"{place}: must be a JSON object, not {_shown(problem['input'])}."
        case _:
            expected = problem["msg"].removeprefix("Input should ").removeprefix("String should ")
            return f"{field}: should {expected}, not {_shown(problem['input'])}."


def _hint(field: str, model: type[BaseModel]) -> str:
    close = get_close_matches(field, model.model_fields, n=1)
    return f" Did you mean {close[0]}?" if close else ""


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST_VALUE else text[:_LONGEST_VALUE] + "…"
