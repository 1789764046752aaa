"""Choose the step for a request and send it, with its delays, stalls and cuts."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from starlette.responses import JSONResponse, Response, StreamingResponse

from model_standin import framing, reply
from model_standin.conversation import Conversation
from model_standin.faults import Api, Refused
from model_standin.library import Library
from model_standin.scripts import Step


class ConnectionCut(Exception):  # noqa: N818 - raised on purpose, so that the server closes the connection
    """The script asks for the connection to break."""


def choose(library: Library, conversation: Conversation) -> tuple[str | None, Step]:
    """Return the name of the script that answers, if one does, and its step.

    A request that offers no tools is a side call of the CLI (a title, a probe) and gets the polite answer.

    Raises:
        Refused: the step is an error.
    """
    found = library.find(conversation.text) if conversation.tools else None
    if found is None:
        return None, reply.POLITE
    name, script = found
    step = script.step(conversation.turn)
    if step is None:
        return name, reply.POLITE
    if step.fault is not None and library.fails(name, conversation.turn, step.fault):
        raise ScriptedFault(name, step)
    return name, step


class ScriptedFault(Refused):
    """The error of a step."""

    def __init__(self, script: str, step: Step) -> None:
        assert step.fault is not None  # noqa: S101 - the caller has just looked
        super().__init__(step.fault.status, step.fault.message, step.fault.type)
        self.script = script
        self.headers = step.fault.headers
        self.delay = step.delay


def answer(api: Api, conversation: Conversation, whole: dict[str, Any], step: Step) -> Response:
    """Return the response that plays the step; its delay is the caller's to wait."""
    if not conversation.stream:
        if step.stall_after is not None or step.drop_after is not None:
            # Without a stream there is one event, the body.
            return StreamingResponse(_broken(step, [b'{"id"']), media_type="application/json")
        return JSONResponse(whole)
    if api == "bedrock":
        encoded = [framing.bedrock_chunk(event) for event in reply.events(whole)]
        media_type = "application/vnd.amazon.eventstream"
    else:
        encoded = [framing.server_sent(event) for event in reply.events(whole)]
        media_type = "text/event-stream; charset=utf-8"
    return StreamingResponse(_broken(step, encoded), media_type=media_type)


async def _broken(step: Step, encoded: list[bytes]) -> AsyncIterator[bytes]:
    for number, piece in enumerate(encoded):
        if number == step.stall_after:
            await asyncio.Event().wait()
        if number == step.drop_after:
            raise ConnectionCut
        yield piece
        await asyncio.sleep(step.event_delay)
