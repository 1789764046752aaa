"""`.pullwright/config.yaml`, as it stands on the repository's default branch.

It is never read from the branch that is worked on: whoever can push there, the agent included, would else
choose what is run and what the agent may do.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints, ValidationError, field_validator

from pullwright.egress import check_entry
from pullwright.json_object import as_object
from pullwright.repository.commands import Command, Seconds
from pullwright.repository.document import ConfigurationError, Part, nearest, read_document, read_part
from pullwright.repository.preview import Preview
from pullwright.repository.tools import Tool

PATH = ".pullwright/config.yaml"

_STRICTEST = "strictest"


Commenters = Literal["writers", "everyone"]
CheckName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._/-]{0,49}$")]
# https://www.debian.org/doc/debian-policy/ch-controlfields.html#source; to apt, a `-` at the end means to
# remove the package.
Package = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9+.-]{0,98}[a-z0-9+]$")]
EgressEntry = Annotated[str, StringConstraints(min_length=1, max_length=255), AfterValidator(check_entry)]


class Setup(Part):
    """What has to be run before the agent begins, for example to install dependencies.

    Attributes:
        command: for `bash`, in the repository's root.
        timeout: seconds.
    """

    command: Command
    timeout: Seconds = 600


class Check(Part):
    """What has to pass once the agent has ended.

    Attributes:
        command: for `bash`, in the repository's root; exit code 0 passes.
        timeout: seconds.
    """

    name: CheckName
    command: Command
    timeout: Seconds = 600


class Instruction(Part):
    """What the agent has to know where it changes some files.

    Attributes:
        paths: patterns such as `api/**` or `*.sql`.
    """

    paths: tuple[Annotated[str, StringConstraints(min_length=1, max_length=200)], ...] = Field(min_length=1)
    text: Annotated[str, StringConstraints(min_length=1, max_length=8_000, strip_whitespace=True)]


class Configuration(Part):
    """The whole file; an empty one says nothing.

    A field that restricts names what holds for it as long as the file cannot be used, as `strictest`.

    Attributes:
        packages: of the system's, installed before anything else.
        setup: run before the agent; a text alone is its command.
        checks: run after the agent; an empty list means none, a missing one that they are detected.
        tools: what the agent may use of Claude Code's tools; all of them if it is missing.
        comments: whose comments the agent reads: those of people with write permission, or everybody's.
        steering: what becomes of work that changes files which steer other programs.
        ci: whether workflows run on the agent's work at once, or wait until somebody has read it; if it is
            missing, they run in private repositories and wait in public ones.
        egress: what setup, agent and checks reach: domains, presets, `default` for the stack's list, which is
            also what holds if it is missing.
        preview: how its branches run as previews.
    """

    version: Literal[1] = 1
    packages: tuple[Package, ...] = Field(default=(), max_length=50)
    setup: Setup | None = None
    checks: tuple[Check, ...] | None = Field(default=None, max_length=10)
    tools: tuple[Tool, ...] | None = Field(
        default=None,
        min_length=1,
        json_schema_extra={_STRICTEST: ["Read", "Edit", "Write", "Glob", "Grep"]},
    )
    comments: Commenters = "writers"
    instructions: tuple[Instruction, ...] = Field(default=(), max_length=50)
    steering: Literal["announce", "refuse"] = Field(
        default="announce", json_schema_extra={_STRICTEST: "refuse"}
    )
    ci: Literal["run", "hold"] | None = Field(default=None, json_schema_extra={_STRICTEST: "hold"})
    egress: tuple[EgressEntry, ...] | None = Field(
        default=None, max_length=100, json_schema_extra={_STRICTEST: []}
    )
    preview: Preview | None = None

    @field_validator("version", mode="before")
    @classmethod
    def _is_number(cls, value: object) -> object:
        # Python takes true for 1.
        return str(value) if isinstance(value, bool) else value

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
    """Read the file.

    Raises:
        ConfigurationError: it is no YAML, or a field is wrong.
    """
    return read_part(Configuration, read_document(content))


def strictest(content: bytes | None) -> tuple[Configuration, tuple[str, ...]]:
    """Return what holds when the file cannot be used: nothing, but what it restricts stays restricted.

    Args:
        content: the file's; None if even that cannot be had.

    Returns:
        The configuration, and the fields for which the strictest value stands in for one that cannot be read.
    """
    restricting = {
        name: field.json_schema_extra[_STRICTEST]
        for name, field in Configuration.model_fields.items()
        if isinstance(field.json_schema_extra, dict) and _STRICTEST in field.json_schema_extra
    }
    try:
        value = read_document(content).value if content is not None else None
    except ConfigurationError:
        value = None
    table = as_object(value)
    kept: dict[str, Any] = {}
    replaced = []
    for name, strict in restricting.items():
        try:
            Configuration.model_validate({name: table[name]})
            kept[name] = table[name]
        except (KeyError, ValidationError):
            if name in table or _may_mean(content, value, name):
                kept[name] = strict
                replaced.append(name)
    return Configuration.model_validate(kept), tuple(replaced)


def _may_mean(content: bytes | None, value: object, name: str) -> bool:
    if isinstance(value, dict):
        return any(nearest(key, [name]) for key in value)
    # Without its zero bytes, text in UTF-16 can be searched as well.
    return content is None or name.encode() in content.replace(b"\0", b"")
