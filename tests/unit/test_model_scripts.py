"""Scripts: what is a good one, which one answers, and what it says."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.eventstream import EventStreamBuffer
from pydantic import ValidationError

from model_standin import framing, reply
from model_standin.conversation import Conversation, read
from model_standin.faults import Refused
from model_standin.library import Library
from model_standin.play import ScriptedFault, choose
from model_standin.scripts import Script, Step

MODEL = "claude-opus-5-5"
SYSTEM = "You work.\n - Primary working directory: /work tree\n - Platform: linux"


def conversation(
    *turns: dict[str, Any], text: str = "Mend it", tools: bool = True, **body: Any
) -> Conversation:
    """Return a request that holds these turns after the first message."""
    messages = [{"role": "user", "content": text}, *turns]
    offered = [{"name": "Bash"}] if tools else []
    return read({"max_tokens": 10, "messages": messages, "tools": offered, **body}, MODEL, stream=True)


def turn(number: int) -> list[dict[str, Any]]:
    """Return one tool call of the assistant and its result."""
    call = {"type": "tool_use", "id": f"toolu_{number}", "name": "Bash", "input": {}}
    result = {"type": "tool_result", "tool_use_id": f"toolu_{number}", "content": "ok"}
    return [{"role": "assistant", "content": [call]}, {"role": "user", "content": [result]}]


@pytest.mark.parametrize(
    ("script", "field"),
    [
        ({}, "match"),
        ({"match": "(", "steps": [{"text": "a"}]}, "match"),
        ({"match": "a", "steps": []}, "steps"),
        ({"match": "a", "steps": [{}]}, "steps.0"),
        ({"match": "a", "steps": [{"text": "a"}, {"tool": "Bash", "imput": {}}]}, "steps.1.imput"),
        ({"match": "a", "steps": [{"text": "a", "input": {}}]}, "steps.0"),
        ({"match": "a", "steps": [{"fault": {"status": 200}}]}, "steps.0.fault.status"),
        ({"match": "a", "steps": [{"fault": {"status": 500, "times": 1}}]}, "steps.0"),
        ({"match": "a", "steps": [{"text": "a", "stall_after": 1, "drop_after": 1}]}, "steps.0"),
        ({"match": "a", "steps": [{"text": "a", "delay": -1}]}, "steps.0.delay"),
    ],
)
def test_a_bad_script_names_its_field(script: dict[str, Any], field: str) -> None:
    """A script that cannot be played is refused, with the place of the mistake."""
    with pytest.raises(ValidationError) as caught:
        Script.model_validate(script)
    assert ".".join(str(part) for part in caught.value.errors()[0]["loc"]) == field


def test_steps_follow_the_turns() -> None:
    """The step depends on the request alone, so a repeated request gets the same one."""
    library = Library()
    library.put("demo", Script(match="Mend", steps=[Step(text="one"), Step(text="two")]))
    for _ in range(2):
        assert choose(library, conversation())[1].text == "one"
        assert choose(library, conversation(*turn(0)))[1].text == "two"
    assert choose(library, conversation(*turn(0), *turn(1)))[1] == reply.POLITE


def test_the_last_step_can_repeat() -> None:
    """A script may go on for ever."""
    script = Script(match=".", steps=[Step(text="one")], repeat_last=True)
    assert script.step(7) == Step(text="one")


def test_the_newest_match_answers() -> None:
    """Of several scripts the one stored last is played; without a match a polite sentence."""
    library = Library()
    library.put("old", Script(match="Mend", steps=[Step(text="old")]))
    library.put("new", Script(match="Mend.it", steps=[Step(text="new")]))
    library.put("other", Script(match="Break", steps=[Step(text="other")]))
    assert choose(library, conversation(text="Mend\nit"))[0] == "new"
    assert choose(library, conversation(text="Hello")) == (None, reply.POLITE)


def test_later_words_do_not_choose() -> None:
    """The agent's own words and tool results never change the script."""
    library = Library()
    library.put("other", Script(match="ok", steps=[Step(text="other")]))
    assert choose(library, conversation(*turn(0)))[0] is None


def test_side_calls_do_not_play() -> None:
    """A request that offers no tools, such as a probe, uses up nothing."""
    library = Library()
    library.put("demo", Script(match=".", steps=[Step(text="one")]))
    assert choose(library, conversation(tools=False)) == (None, reply.POLITE)


def test_a_fault_comes_so_many_times() -> None:
    """A fault with `times` gives way to its step, and begins anew with a new script."""
    library = Library()
    script = Script.model_validate(
        {"match": ".", "steps": [{"text": "one", "fault": {"status": 529, "times": 2}}]}
    )
    for _ in range(2):
        library.put("demo", script)
        for _ in range(2):
            with pytest.raises(ScriptedFault):
                choose(library, conversation())
        assert choose(library, conversation())[1].text == "one"


@pytest.mark.parametrize(
    "where",
    [
        {"system": SYSTEM},
        {"system": [{"type": "text", "text": SYSTEM}]},
        {"text": "Working directory: /elsewhere", "system": SYSTEM},
    ],
)
def test_the_working_directory_is_filled_in(where: dict[str, Any]) -> None:
    """`{cwd}` becomes the directory that the CLI names, wherever it stands in the input."""
    step = Step(tool="Bash", input={"a": ["ls {cwd}"], "b": {"c": "{cwd}/x"}, "d": 1})
    block = reply.message(conversation(**where), step)["content"][0]
    assert block["input"] == {"a": ["ls /work tree"], "b": {"c": "/work tree/x"}, "d": 1}


def test_a_system_message_names_the_directory_too() -> None:
    """Newer models get the environment in a message of the role system."""
    told = {"role": "system", "content": [{"type": "text", "text": SYSTEM}]}
    assert conversation(told, text="Working directory: /elsewhere").cwd == "/work tree"


def test_an_unknown_directory_is_an_error() -> None:
    """A script that needs the directory does not play without it."""
    with pytest.raises(Refused):
        reply.message(conversation(), Step(tool="Bash", input={"command": "ls {cwd}"}))


@pytest.mark.parametrize(
    ("messages", "word"),
    [
        ([], "messages"),
        (["hi"], "messages.0.role"),
        ([{"role": "robot", "content": "hi"}], "messages.0.role"),
        ([{"role": "user", "content": ""}], "messages.0.content"),
        ([{"role": "user", "content": [{"text": "hi"}]}], "messages.0.content"),
        ([*turn(0)[:1], {"role": "user", "content": "go on"}], "tool_result"),
    ],
)
def test_malformed_messages_are_named(messages: list[Any], word: str) -> None:
    """The API says which message is wrong, a tool call without its result too."""
    with pytest.raises(Refused) as caught:
        read({"max_tokens": 1, "messages": messages}, MODEL, stream=False)
    assert caught.value.status == 400
    assert word in caught.value.message


def test_events_add_up_to_the_message() -> None:
    """A stream says piece by piece what the whole message says."""
    step = Step.model_validate(
        {"text": "x" * 100, "tools": [{"tool": "Bash", "input": {"command": "y" * 100}}, {"tool": "Read"}]}
    )
    whole = reply.message(conversation(), step)
    events = list(reply.events(whole))
    pieces = [event["delta"] for event in events if event["type"] == "content_block_delta"]
    assert "".join(piece.get("text", "") for piece in pieces) == "x" * 100
    assert "y" * 100 in "".join(piece.get("partial_json", "") for piece in pieces)
    assert [event["type"] for event in events][-2:] == ["message_delta", "message_stop"]
    assert events[-2]["usage"]["output_tokens"] == whole["usage"]["output_tokens"]
    assert whole["stop_reason"] == "tool_use"


def test_usage_looks_like_caching() -> None:
    """What the previous request sent is read from the cache, the rest is written to it."""
    system = [{"type": "text", "text": "word " * 500, "cache_control": {"type": "ephemeral"}}]
    first = reply.message(conversation(system=system), reply.POLITE)["usage"]
    second = reply.message(conversation(*turn(0), system=system), reply.POLITE)["usage"]
    assert first["cache_read_input_tokens"] == 0
    assert first["cache_creation_input_tokens"] > 500
    assert second["cache_read_input_tokens"] > 500
    assert second["cache_creation_input_tokens"] < 200


def test_bedrock_frames_are_aws_frames() -> None:
    """AWS's own parser reads the frames, checksums included."""
    buffer = EventStreamBuffer()
    buffer.add_data(framing.bedrock_chunk({"type": "ping"}) + framing.bedrock_chunk({"type": "message_stop"}))
    # The published types of `headers` are wrong: it is a dictionary.
    headers: list[Any] = [message.headers for message in buffer]
    assert [header[":event-type"] for header in headers] == ["chunk", "chunk"]
