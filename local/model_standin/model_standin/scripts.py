"""The form of a script: a pattern that selects it, and one step for each turn of the assistant."""

import re
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Seconds = Annotated[float, Field(ge=0, le=3_600)]
Tokens = Annotated[int, Field(ge=0)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ToolCall(_Part):
    """One tool call; `{cwd}` in any string of the input becomes the agent's working directory."""

    tool: Annotated[str, Field(min_length=1)]
    input: dict[str, Any] = Field(default_factory=dict)


class Fault(_Part):
    """An error answer in the API's own shape.

    Attributes:
        status: HTTP status.
        type: error type (Anthropic) or exception name (Bedrock); by default what the API uses for the status.
        headers: added to the answer, for example `retry-after`.
        times: how many requests fail before the step is played; without it all do.
    """

    status: Annotated[int, Field(ge=400, le=599)]
    type: str | None = None
    message: str = "The script asks for this error."
    headers: dict[str, str] = Field(default_factory=dict)
    times: Annotated[int, Field(ge=1)] | None = None


class UsageOverride(_Part):
    """Token counts to report instead of the estimated ones."""

    input_tokens: Tokens | None = None
    output_tokens: Tokens | None = None
    cache_read_input_tokens: Tokens | None = None
    cache_creation_input_tokens: Tokens | None = None


class Step(_Part):
    """One turn of the assistant.

    Attributes:
        text: what it says.
        tool, input: one tool call.
        tools: several tool calls in the same turn.
        fault: an error instead of the turn, or before it.
        stop_reason: by default `tool_use` with tool calls, else `end_turn`.
        delay: seconds before the answer begins.
        event_delay: seconds between the events of a stream.
        stall_after: the stream sends this many events and then nothing, with the connection left open.
        drop_after: the stream sends this many events, then the connection is cut.
    """

    text: str | None = None
    tool: Annotated[str, Field(min_length=1)] | None = None
    input: dict[str, Any] | None = None
    tools: Annotated[list[ToolCall], Field(min_length=1)] | None = None
    fault: Fault | None = None
    stop_reason: str | None = None
    delay: Seconds = 0
    event_delay: Seconds = 0
    stall_after: Annotated[int, Field(ge=0)] | None = None
    drop_after: Annotated[int, Field(ge=0)] | None = None
    usage: UsageOverride = UsageOverride()

    @property
    def calls(self) -> list[ToolCall]:
        """All tool calls of the turn."""
        if self.tool is not None:
            return [ToolCall(tool=self.tool, input=self.input or {})]
        return list(self.tools or ())

    @model_validator(mode="after")
    def _is_one_turn(self) -> Self:
        says_something = bool(self.text) or bool(self.calls)
        if self.tool is not None and self.tools is not None:
            raise ValueError("tool and tools exclude each other: give one of them")
        if self.input is not None and self.tool is None:
            raise ValueError("input belongs to tool")
        if not says_something and self.fault is None:
            raise ValueError("a step needs text, tool, tools or fault")
        if not says_something and self.fault is not None and self.fault.times is not None:
            raise ValueError("fault.times needs text, tool or tools to play afterwards")
        if self.stall_after is not None and self.drop_after is not None:
            raise ValueError("stall_after and drop_after exclude each other: give one of them")
        return self


class Script(_Part):
    """A conversation's answers, chosen when `match` is found in the request's text.

    Attributes:
        match: regular expression; searched, not anchored; `.` matches line ends too.
        steps: step n answers the request that holds n turns of the assistant.
        repeat_last: play the last step for ever instead of ending politely after it.
    """

    match: Annotated[str, Field(min_length=1)]
    steps: Annotated[list[Step], Field(min_length=1)]
    repeat_last: bool = False

    @field_validator("match")
    @classmethod
    def _compiles(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from error
        return value

    def step(self, turn: int) -> Step | None:
        """Return the step that answers a request with that many turns; None when the script is over."""
        if turn < len(self.steps):
            return self.steps[turn]
        return self.steps[-1] if self.repeat_last else None
