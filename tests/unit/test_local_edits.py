"""What `make watch` makes of changes: which part is published, and with which definition."""

from __future__ import annotations

import json
import re
import signal
import string
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from local.edits import EditError, filled, find_substitutions
from local.layout import ROOT
from local.sam import SamError
from local.watch import Watcher, kinds, watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from threading import Event

_DEFINITION = (ROOT / "statemachine/agent_session.asl.json").read_text()
_NAMES = sorted(set(re.findall(r"\$\{(\w+)\}", _DEFINITION)))
_VALUES = st.text(string.ascii_letters + string.digits + ":/-,_.", min_size=1, max_size=30)


@given(st.fixed_dictionaries(dict.fromkeys(_NAMES, _VALUES)))
def test_a_deployed_definition_says_what_its_placeholders_stand_for(values: dict[str, str]) -> None:
    """The placeholders' values are read from a definition, and give the same one again from the source."""
    deployed = filled(_DEFINITION, values)
    found = find_substitutions(_DEFINITION, deployed)
    assert json.loads(filled(_DEFINITION, found)) == json.loads(deployed)


def test_a_definition_of_another_source_is_not_read() -> None:
    """A definition that was not made from the source gives no values."""
    with pytest.raises(EditError, match="run make up"):
        find_substitutions(_DEFINITION, '{"StartAt": "Other"}')


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"StartAt": "${Unheard}"}', "no value for Unheard: run make up"),
        ('{"StartAt": ', "Expecting value: line 1 column 13"),
    ],
)
def test_a_broken_definition_is_named(text: str, problem: str) -> None:
    """A placeholder without a value, and what is no JSON, are named with their place."""
    with pytest.raises(EditError, match=rf"^agent_session.asl.json: .*{problem}"):
        filled(text, {})


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (["functions/pullwright/log.py"], ["functions", "runner"]),
        (["container/runner/session.py"], ["runner"]),
        (["statemachine/agent_session.asl.json"], ["machine"]),
        (["statemachine/agent_session.asl.json", "functions/pullwright/log.py"], ["functions", "runner"]),
        (["statemachine/graph.py"], []),
        (["functions/requirements.txt", "functions/pullwright/log.py"], ["deployment"]),
        (["template.yaml"], ["deployment"]),
        (["local/engine/pullwright_engine/settings.py"], ["deployment"]),
        (["local/demo/run.py"], []),
        (["container/Dockerfile"], []),
    ],
)
def test_each_change_makes_live_what_depends_on_it(changed: list[str], expected: list[str]) -> None:
    """A changed file tells what is to be published."""
    assert kinds(str(ROOT / path) for path in changed) == expected


class _Stack:
    """A stack that notes what it is asked for, and fails where it is told to."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.asked: list[str] = []
        self._failure = failure

    def __getattr__(self, name: str) -> Callable[[], None]:
        def publish() -> None:
            self.asked.append(name)
            if self._failure is not None:
                raise self._failure

        return publish


@pytest.mark.parametrize(
    "failure", [EditError("pullwright/log.py, line 3: [x]"), SamError("build", "no space", Path("sam.log"))]
)
def test_a_failure_is_said_and_the_next_change_is_taken(
    failure: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    """What could not be made live is said in its own words, and does not end the watch."""
    stack = _Stack(failure)
    watcher = Watcher(stack, Console(highlight=False))  # type: ignore[arg-type] # as far as it is used
    for _ in range(2):
        watcher.take([str(ROOT / "functions/pullwright/log.py")])
    assert stack.asked == ["publish_functions", "publish_functions"]
    assert capsys.readouterr().out.count(str(failure)) == 2


class _Interrupted(_Stack):
    """A stack that hears Ctrl-C while its functions are published."""

    def publish_functions(self) -> None:
        self.asked.append("begun")
        signal.raise_signal(signal.SIGINT)
        self.asked.append("ended")


def test_ctrl_c_lets_a_publication_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is being published at Ctrl-C is finished, and the watch ends without an error."""

    def changes(*_: object, stop_event: Event, **_others: object) -> Iterator[set[tuple[int, str]]]:
        while not stop_event.is_set():
            yield {(1, str(ROOT / "functions/pullwright/log.py"))}

    monkeypatch.setattr("watchfiles.watch", changes)
    before = signal.getsignal(signal.SIGINT)
    stack = _Interrupted()
    try:
        watch(stack)  # type: ignore[arg-type] # as far as it is used
    finally:
        signal.signal(signal.SIGINT, before)
    assert stack.asked == ["up", "begun", "ended", "publish_runner"]
