"""YAML as a configuration needs it: tables with words as keys, lists, texts, whole numbers, yes-or-no, null.

What makes YAML surprising is refused with its line: keys that stand twice, anchors and aliases, tags, merge
keys, several documents, deep nesting and characters that nobody sees. A plain word is what YAML 1.2's core
schema makes of it (https://yaml.org/spec/1.2.2/#103-core-schema), so `no` and `on` are texts; so are
fractions, which no field takes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.reader import ReaderError

from pullwright.repository.yaml_text import Place, Read, YamlError, hidden

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ruamel.yaml.events import Event

MAX_DEPTH = 8
_NO_ALIASES = "it uses YAML's anchors or aliases (&name, *name), which are not supported"
_LONGEST_NUMBER = 15
_WHOLE = re.compile(r"[-+]?[0-9]+")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
}


def read_yaml(text: str) -> Read:
    """Read one document.

    Raises:
        YamlError: for whatever is wrong.
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    for number, line in enumerate(text.split("\n"), 1):
        if character := hidden(line):
            raise YamlError(number, f"there is an invisible character ({character}) in it")
    reader = _Reader(text)
    try:
        return reader.read()
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        number = mark.line + 1 if mark else reader.number
        raise YamlError(number, f"it is not valid YAML ({error.problem or error.context})") from None
    except ReaderError as error:
        number = text.count("\n", 0, error.position) + 1
        raise YamlError(number, f"it is not valid YAML ({error.reason})") from None
    except (YAMLError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError):
        # The library's scanner lets some of these out.
        raise YamlError(reader.number, "it is not valid YAML") from None


@dataclass
class _Reader:
    text: str
    number: int = 1
    lines: dict[Place, int] = field(default_factory=dict)

    def read(self) -> Read:
        events = self._events()
        value = None
        documents = 0
        for event in events:
            if isinstance(event, DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise YamlError(self.number, "a second document begins, and there can be one only")
            elif isinstance(event, NodeEvent):
                value = self._value(event, events, ())
        return Read(value, self.lines)

    def _events(self) -> Iterator[Event]:
        depth = 0
        for event in YAML(typ="safe", pure=True).parse(self.text):
            if event.start_mark is not None:
                self.number = event.start_mark.line + 1
            if isinstance(event, NodeEvent) and event.anchor is not None:
                raise YamlError(self.number, _NO_ALIASES)
            if getattr(event, "tag", None) is not None:
                raise YamlError(
                    self.number, "it is not valid YAML here (tags such as !!name are not supported)"
                )
            depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
            if depth > MAX_DEPTH:
                raise YamlError(self.number, f"it is nested more than {MAX_DEPTH} deep")
            yield event

    def _value(self, event: Event, events: Iterator[Event], place: Place) -> Any:
        self.lines.setdefault(place, self.number)
        if isinstance(event, MappingStartEvent):
            return self._table(events, place)
        if isinstance(event, SequenceStartEvent):
            entries: list[Any] = []
            while not isinstance(entry := next(events), SequenceEndEvent):
                entries.append(self._value(entry, events, (*place, len(entries))))
            return entries
        return self._scalar(event, place)

    def _table(self, events: Iterator[Event], place: Place) -> dict[str, Any]:
        table: dict[str, Any] = {}
        while not isinstance(key := next(events), MappingEndEvent):
            number = self.number
            if not isinstance(key, ScalarEvent):
                raise YamlError(number, "a list or a table stands where a field's name should")
            name = str(key.value)
            self._check(name, place)
            if name == "<<":
                raise YamlError(number, "it uses one of YAML's merge keys (<<), which are not supported")
            if name in table:
                first = self.lines[(*place, name)]
                raise YamlError(number, f"the field stands in line {first} already", (*place, name))
            self.lines[(*place, name)] = number
            table[name] = self._value(next(events), events, (*place, name))
        return table

    def _scalar(self, event: Any, place: Place) -> str | int | bool | None:
        text: str = event.value
        self._check(text, place)
        if not event.implicit[0]:
            return text
        if text in _WORDS:
            return _WORDS[text]
        if not _WHOLE.fullmatch(text):
            return text
        if len(text) > _LONGEST_NUMBER:
            raise YamlError(self.number, "the number is too large; a text of digits needs quotes", place)
        return int(text)

    def _check(self, text: str, place: Place) -> None:
        if character := hidden(text):
            raise YamlError(self.number, f"there is an invisible character ({character}) in it", place)
