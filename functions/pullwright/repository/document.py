"""Reads a file of a repository into a model; whatever is wrong is a sentence with its line."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from pullwright.repository.yaml_text import Place, Read, YamlError, dotted

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_BYTES = 64 << 10

_MOST_PROBLEMS = 3
_LONGEST_NAME = 60


class ConfigurationError(Exception):
    """The file cannot be used; the text names each field that is wrong."""


class Part(BaseModel):
    """A table of fields in a file."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True)


PartT = TypeVar("PartT", bound=Part)


def read_document(content: bytes) -> Read:
    """Read the file's YAML.

    Raises:
        ConfigurationError: it is too large, not UTF-8, or not the YAML that a configuration needs.
    """
    if len(content) > MAX_BYTES:
        raise ConfigurationError(f"it is larger than {MAX_BYTES >> 10} KiB")
    # The library takes as long to import as all models here, and many repositories have no file.
    from pullwright.repository.yaml_reader import read_yaml  # noqa: PLC0415 - see above

    try:
        return read_yaml(content.decode())
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigurationError(f"line {line}: it is not UTF-8") from None
    except YamlError as error:
        raise ConfigurationError(str(error)) from None


def read_part(model: type[PartT], read: Read) -> PartT:
    """Return what a file says; an empty one says nothing.

    Raises:
        ConfigurationError: a field is wrong.
    """
    try:
        return model.model_validate({} if read.value is None else read.value)
    except ValidationError as error:
        raise ConfigurationError(_explain(error, read, model)) from None


def nearest(name: str, names: Sequence[str]) -> str | None:
    """Return what was probably meant by a name that does not exist; None if nothing is like it."""
    return next(iter(get_close_matches(name[:_LONGEST_NAME].lower(), names, 1)), None)


def _explain(error: ValidationError, read: Read, model: type[Part]) -> str:
    problems = error.errors(include_url=False, include_input=False)
    lines = []
    for problem in problems:
        place = _written(problem["loc"], read)
        text = _problem(place, problem["type"], problem["msg"], _names(model, problem["loc"][:-1]))
        lines.append(f"line {read.line(place)}: {text}")
    more = len(lines) - _MOST_PROBLEMS
    return "; ".join(lines[:_MOST_PROBLEMS]) + (f"; {more} more fields are wrong" if more > 0 else "")


def _written(place: Place, read: Read) -> Place:
    """Return a place as it is in the file, where a list's only entry may stand for the list."""
    for index, step in enumerate(place):
        if step == 0 and (*place[:index], 0) not in read.lines and place[:index] in read.lines:
            return _written((*place[:index], *place[index + 1 :]), read)
    return place


def _problem(place: Place, kind: str, message: str, names: list[str]) -> str:
    field = dotted(place)
    if kind == "extra_forbidden":
        meant = nearest(str(place[-1]), names)
        return f"{field}: there is no such field" + (f" (do you mean {meant}?)" if meant else "")
    if kind == "missing":
        return f"{field}: this field is missing"
    if kind in {"model_type", "model_attributes_type"}:
        return f"{field or 'the file'}: must be a table of fields"
    if kind == "string_type":
        return f"{field}: must be a text; numbers, true, false and null need quotes to be one"
    text = message.removeprefix("Value error, ")
    return f"{field}: {text[:1].lower()}{text[1:]}" if field else f"{text[:1].lower()}{text[1:]}"


def _names(model: type[Part], place: Place) -> list[str]:
    """Return the fields that the table at a place may have."""
    part: type[Part] | None = model
    for step in place:
        if part is None:
            break
        if isinstance(step, str):
            field = part.model_fields.get(step)
            part = None if field is None else _part_in(field.annotation)
    return [] if part is None else list(part.model_fields)


def _part_in(annotation: Any) -> type[Part] | None:
    """Return the table that a field's type holds, itself or in a list."""
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return annotation
    return next((part for inner in get_args(annotation) if (part := _part_in(inner)) is not None), None)
