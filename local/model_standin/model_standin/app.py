"""The routes of both APIs; everything else is 404 in the shape of the API whose path it looks like."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from model_standin import access, control, play, reply
from model_standin.conversation import Conversation, read
from model_standin.faults import Api, Refused, body_and_headers
from model_standin.journal import Journal
from model_standin.library import Library

_Answer = Callable[[Request], Awaitable[Response]]

_STREAMS = {"invoke": False, "invoke-with-response-stream": True}


def build(library: Library, journal: Journal) -> Starlette:
    """Return the application over these scripts and this journal."""
    service = _Service(library, journal)
    messages = service.guarded("anthropic", service.messages)
    count_tokens = service.guarded("anthropic", service.count_tokens)
    invoke = service.guarded("bedrock", service.invoke)
    return Starlette(
        routes=[
            Route("/v1/messages", messages, methods=["POST"]),
            Route("/v1/messages/count_tokens", count_tokens, methods=["POST"]),
            *(Route(f"/model/{{model:path}}/{name}", invoke, methods=["POST"]) for name in _STREAMS),
            *control.routes(library, journal),
        ],
        exception_handlers={404: service.no_such_operation, 405: service.no_such_operation},
    )


class _Service:
    def __init__(self, library: Library, journal: Journal) -> None:
        self._library = library
        self._journal = journal

    def guarded(self, api: Api, answer: _Answer) -> _Answer:
        async def endpoint(request: Request) -> Response:
            try:
                return await answer(request)
            except Refused as refused:
                return await self._refuse(api, request, refused)

        return endpoint

    async def messages(self, request: Request) -> Response:
        access.check_anthropic(request.headers)
        body = await _json(request)
        model = access.check_anthropic_model(body.get("model"))
        conversation = read(body, model, stream=bool(body.get("stream")))
        return await self._play("anthropic", request, conversation, body)

    async def count_tokens(self, request: Request) -> Response:
        access.check_anthropic(request.headers)
        body = await _json(request)
        model = access.check_anthropic_model(body.get("model"))
        conversation = read({**body, "max_tokens": 1}, model, stream=False)
        self._note(request, 200, conversation=conversation)
        return JSONResponse({"input_tokens": conversation.prompt_tokens})

    async def invoke(self, request: Request) -> Response:
        # The raw path: a decoded slash inside an ARN would look like one between segments.
        segments = request.scope["raw_path"].decode().split("?")[0].split("/")
        if len(segments) != len(["", "model", "id", "operation"]):
            raise Refused(404, "The model id in the path must be percent-encoded")
        access.check_bedrock(request.headers)
        body = await _json(request)
        for extraneous in ("model", "stream"):
            if extraneous in body:
                raise Refused(400, f"{extraneous}: Extra inputs are not permitted")
        if body.get("anthropic_version") != "bedrock-2023-05-31":
            raise Refused(400, "anthropic_version: Field required, 'bedrock-2023-05-31'")
        model = access.check_bedrock_model(unquote(segments[2]))
        conversation = read(body, model, stream=_STREAMS[segments[3]])
        return await self._play("bedrock", request, conversation, body)

    async def no_such_operation(self, request: Request, error: Exception) -> Response:
        api: Api = (
            "bedrock" if request.url.path.startswith(("/model/", "/inference-profiles")) else "anthropic"
        )
        status = getattr(error, "status_code", 404)
        return await self._refuse(
            api, request, Refused(status, f"{request.method} {request.url.path}: unknown")
        )

    async def _play(
        self, api: Api, request: Request, conversation: Conversation, body: dict[str, Any]
    ) -> Response:
        name, step = play.choose(self._library, conversation)
        whole = reply.message(conversation, step)
        marks = self._journal.marks(body)
        self._note(request, 200, conversation=conversation, script=name, usage=whole["usage"], **marks)
        await asyncio.sleep(step.delay)
        return play.answer(api, conversation, whole, step)

    async def _refuse(self, api: Api, request: Request, refused: Refused) -> Response:
        body, headers = body_and_headers(api, refused)
        if isinstance(refused, play.ScriptedFault):
            self._note(request, refused.status, script=refused.script)
            await asyncio.sleep(refused.delay)
            headers |= refused.headers
        else:
            self._note(request, refused.status)
        return JSONResponse(body, refused.status, headers)

    def _note(self, request: Request, status: int, **more: Any) -> None:
        names = list(request.headers)
        self._journal.note(
            method=request.method, path=request.url.path, status=status, header_names=names, **more
        )


async def _json(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.body())
    except ValueError as error:
        raise Refused(400, f"The request body is not valid JSON: {error}") from error
    if not isinstance(body, dict):
        raise Refused(400, "The request body is not a JSON object")
    return body
