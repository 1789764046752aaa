"""What the CLI says while it works: one JSON object a line, of which we read what we need.

https://code.claude.com/docs/en/headless#stream-responses; fields that are not documented there were seen in
version 2.1.329. Unknown types are ignored.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from pullwright.json_object import as_object
from pullwright.results import Todo
from pullwright.text import one_line

if TYPE_CHECKING:
    from pathlib import Path

_SYNTHETIC = "<synthetic>"
_LONGEST_ACTIVITY = 120
# The agent's user can write what it likes into the CLI's output: what is kept of it has bounds.
_LONGEST_TEXT = 60_000
_LONGEST_NAME = 60
_LONGEST_ID = 100
_LONGEST_TODO = 500
_MOST_ENTRIES = 100
_MOST_TURNS = 1_000_000
# For each tool the verb, and the inputs that say what it is used on.
_STEPS = {
    "Bash": ("Running", ("command",)),
    "Read": ("Reading", ("file_path",)),
    "Edit": ("Editing", ("file_path",)),
    "Write": ("Writing", ("file_path",)),
    "Grep": ("Searching for", ("pattern",)),
    "Glob": ("Looking for files like", ("pattern",)),
}


def _at_most(longest: int) -> BeforeValidator:
    """Cut a text or a list; whatever else it is given, it leaves to the field's type."""
    return BeforeValidator(lambda value: value[:longest] if isinstance(value, str | list) else value)


class ResultLine(BaseModel):
    """The last line: how the CLI itself says that it ended."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    subtype: Annotated[str, _at_most(_LONGEST_NAME)] = ""
    is_error: bool = True
    terminal_reason: Annotated[str | None, _at_most(_LONGEST_NAME)] = None
    api_error_status: int | None = Field(default=None, ge=0, le=999)
    result: Annotated[str | None, _at_most(_LONGEST_TEXT)] = None
    num_turns: int | None = Field(default=None, ge=0, le=_MOST_TURNS)
    permission_denials: Annotated[list[dict[str, Any]], _at_most(_MOST_ENTRIES)] = Field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether it says that the work is done; the exit code has to say so too."""
        return not self.is_error and self.subtype == "success" and self.terminal_reason == "completed"

    @property
    def turns(self) -> int:
        """How many turns were taken; the CLI counts the one that a limit refused, too."""
        told = self.num_turns or 0
        return max(0, told - 1) if self.subtype == "error_max_turns" else told


def decode(line: bytes) -> dict[str, Any] | None:
    """Read one line of the CLI's; None if it is not an object."""
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) else None


def content_blocks(event: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the content blocks of a line's message; there are none where it has no message of that form."""
    content = as_object(event.get("message")).get("content")
    return [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []


class Conversation:
    """What is known of the agent's work so far.

    Args:
        folder: the agent's work tree, to name files as people know them.

    Attributes:
        activity: what it is doing now, one short line.
        tool: name of the tool that it used last.
        result: the last line, once it came.
        last_text: the last thing it said in words.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = f"{folder}/"
        self._messages: set[str] = set()
        self.activity = "Starting"
        self.tool: str | None = None
        self.todos: tuple[Todo, ...] = ()
        self.result: ResultLine | None = None
        self.last_text = ""

    @property
    def turns(self) -> int:
        """How often the model has answered."""
        return len(self._messages)

    def take(self, event: dict[str, Any]) -> bool:
        """Take one line, decoded.

        Returns:
            Whether there is something new to show.
        """
        kind = event.get("type")
        if kind == "result":
            self._end(event)
            return False
        if kind == "system" and event.get("subtype") == "api_retry":
            return self._show("Waiting for the model's service")
        # What a sub-agent does is a step of the agent's own, which has been shown already.
        if kind == "assistant" and not event.get("parent_tool_use_id"):
            return self._answer(event)
        return False

    def _end(self, event: dict[str, Any]) -> None:
        try:
            self.result = ResultLine.model_validate(event)
        except ValidationError:
            # A result that we cannot read says nothing good.
            self.result = ResultLine(subtype=str(event.get("subtype"))[:_LONGEST_NAME])

    def _answer(self, event: dict[str, Any]) -> bool:
        message = event.get("message")
        if not isinstance(message, dict) or message.get("model") == _SYNTHETIC:
            return False
        self._messages.add(str(message.get("id"))[:_LONGEST_ID])
        new = False
        for block in content_blocks(event):
            if block.get("type") == "tool_use":
                new = self._tool(str(block.get("name")), as_object(block.get("input"))) or new
            elif block.get("type") == "text" and isinstance(block.get("text"), str):
                self.last_text = block["text"][:_LONGEST_TEXT]
        return new

    def _tool(self, name: str, values: dict[str, Any]) -> bool:
        self.tool = one_line(name[:_LONGEST_TODO], _LONGEST_NAME)
        if name == "TodoWrite":
            self.todos = _todos(values.get("todos"))
            current = next((todo.text for todo in self.todos if todo.status == "in_progress"), None)
            is_done = bool(self.todos) and all(todo.status == "completed" for todo in self.todos)
            return self._show(current or ("Finishing" if is_done else "Planning"))
        return self._show(_describe(name, values))

    def _show(self, activity: str) -> bool:
        line = " ".join(activity.replace(self._folder, "").split())
        self.activity = line if len(line) <= _LONGEST_ACTIVITY else f"{line[: _LONGEST_ACTIVITY - 1]}…"
        return True


def _describe(name: str, values: dict[str, Any]) -> str:
    verb, keys = _STEPS.get(name, ("Using", ()))
    what = next((str(values[key]) for key in keys if values.get(key)), "")
    return f"{verb} {(what or name)[:_LONGEST_TODO]}"


def _todos(entries: object) -> tuple[Todo, ...]:
    found = []
    for entry in entries[:_MOST_ENTRIES] if isinstance(entries, list) else []:
        if isinstance(entry, dict):
            text = str(entry.get("content", ""))[:_LONGEST_TODO]
            try:
                found.append(Todo(text=text, status=entry.get("status", "pending")))
            except ValidationError:
                continue
    return tuple(found)
