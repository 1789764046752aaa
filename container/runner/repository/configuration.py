"""`.pullwright/config.yaml`, as it stands on the repository's default branch.

It is never read from the branch that is worked on: whoever can push there, the agent included, would else
choose what is run and what the agent may do.
"""

from __future__ import annotations

from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator

from runner.agent.heard import Commenters

PATH = ".pullwright/config.yaml"
MAX_BYTES = 64 << 10

_MOST_PROBLEMS = 3

Command = Annotated[str, StringConstraints(min_length=1, max_length=4_000, strip_whitespace=True)]
CheckName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._/-]{0,49}$")]
# https://www.debian.org/doc/debian-policy/ch-controlfields.html#source; to apt, a `-` at the end means to
# remove the package.
Package = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9+.-]{0,98}[a-z0-9+]$")]
Tool = Literal["Bash", "Read", "Edit", "Write", "Glob", "Grep"]


class ConfigurationError(Exception):
    """The file cannot be used; the text names each field that is wrong."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Setup(_Part):
    """What has to be run before the agent begins, for example to install dependencies.

    Attributes:
        command: for `bash`, in the repository's root.
        timeout: seconds.
    """

    command: Command
    timeout: int = Field(default=600, ge=1, le=3_600)


class Check(_Part):
    """What has to pass once the agent has ended.

    Attributes:
        name: shown on GitHub.
        command: for `bash`, in the repository's root; exit code 0 passes.
        timeout: seconds.
    """

    name: CheckName
    command: Command
    timeout: int = Field(default=600, ge=1, le=3_600)


class Instruction(_Part):
    """What the agent has to know where it changes some files.

    Attributes:
        paths: patterns such as `api/**` or `*.sql`.
        text: for the agent.
    """

    paths: tuple[Annotated[str, StringConstraints(min_length=1, max_length=200)], ...] = Field(min_length=1)
    text: Annotated[str, StringConstraints(min_length=1, max_length=8_000, strip_whitespace=True)]


class Configuration(_Part):
    """The whole file; an empty one says nothing.

    Attributes:
        version: of this format.
        packages: of the system's, installed before anything else.
        setup: run before the agent; a text alone is its command.
        checks: run after the agent; an empty list means none, a missing one that they are detected.
        tools: what the agent may use of Claude Code's tools; all of them if it is missing.
        comments: whose comments the agent reads: those of people with write permission, or everybody's.
        instructions: for the agent.
        steering: what becomes of work that changes files which steer other programs.
    """

    version: Literal[1] = 1
    packages: tuple[Package, ...] = Field(default=(), max_length=50)
    setup: Setup | None = None
    checks: tuple[Check, ...] | None = Field(default=None, max_length=10)
    tools: tuple[Tool, ...] | None = Field(default=None, min_length=1)
    comments: Commenters = "writers"
    instructions: tuple[Instruction, ...] = Field(default=(), max_length=50)
    steering: Literal["announce", "refuse"] = "announce"

    @field_validator("setup", mode="before")
    @classmethod
    def _command_alone(cls, value: object) -> object:
        return {"command": value} if isinstance(value, str) else value

    @field_validator("checks")
    @classmethod
    def _names_differ(cls, checks: tuple[Check, ...] | None) -> tuple[Check, ...] | None:
        names = [check.name for check in checks or ()]
        if len(set(names)) < len(names):
            raise ValueError("two checks have the same name")
        return checks


def read_configuration(content: bytes) -> Configuration:
    """Reads the file.

    Args:
        content: its bytes.

    Raises:
        ConfigurationError: it is no YAML, or a field is wrong.
    """
    if len(content) > MAX_BYTES:
        raise ConfigurationError(f"it is larger than {MAX_BYTES >> 10} KiB")
    try:
        text = content.decode()
        # A few lines of aliases can stand for gigabytes.
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, yaml.SafeLoader)):
            raise ConfigurationError("it uses YAML's aliases (*name), which are not supported")
        loaded = yaml.safe_load(text)
    except UnicodeDecodeError:
        raise ConfigurationError("it is not UTF-8") from None
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}" if error.problem_mark else "it"
        raise ConfigurationError(f"{line} is not valid YAML ({error.problem})") from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise ConfigurationError("it is not valid YAML") from None
    try:
        return Configuration.model_validate({} if loaded is None else loaded)
    except ValidationError as error:
        raise ConfigurationError(_explain(error)) from None


def _explain(error: ValidationError) -> str:
    problems = error.errors(include_url=False, include_input=False)
    told = [_problem(".".join(map(str, one["loc"])), one["type"], one["msg"]) for one in problems]
    more = len(told) - _MOST_PROBLEMS
    return "; ".join(told[:_MOST_PROBLEMS]) + (f"; {more} more fields are wrong" if more > 0 else "")


def _problem(field: str, kind: str, message: str) -> str:
    if kind == "extra_forbidden":
        return f"{field}: there is no such field"
    if kind == "missing":
        return f"{field}: this field is missing"
    if kind in {"model_type", "model_attributes_type"}:
        return f"{field or 'the file'}: must be a table of fields"
    return f"{field}: {message[:1].lower()}{message[1:]}"
