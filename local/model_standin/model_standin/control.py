"""`/_standin/`: what tests and the demo use to set the stand-in up. No part of either API."""

import re

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from model_standin.journal import Journal
from model_standin.library import Library
from model_standin.scripts import Script


def routes(library: Library, journal: Journal) -> list[Route]:
    """Return the routes over these scripts and this journal."""

    async def scripts(_request: Request) -> Response:
        return JSONResponse(library.names)

    async def put(request: Request) -> Response:
        try:
            script = Script.model_validate_json(await request.body())
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            field = ".".join(str(part) for part in first["loc"])
            return JSONResponse({"error": first["msg"], "field": field}, 422)
        created = library.put(request.path_params["name"], script)
        return _script(script, 201 if created else 200)

    async def get(request: Request) -> Response:
        script = library.get(request.path_params["name"])
        return _missing() if script is None else _script(script, 200)

    async def delete(request: Request) -> Response:
        return Response(status_code=204) if library.delete(request.path_params["name"]) else _missing()

    async def requests(_request: Request) -> Response:
        return JSONResponse(journal.entries)

    async def clear(_request: Request) -> Response:
        journal.clear()
        return Response(status_code=204)

    async def marks(request: Request) -> Response:
        try:
            journal.look_for(str(await request.json()))
        except (re.error, ValueError) as error:
            return JSONResponse({"error": f"not a regular expression in JSON: {error}"}, 422)
        return Response(status_code=204)

    return [
        Route("/_standin/scripts", scripts, methods=["GET"]),
        Route("/_standin/scripts/{name}", put, methods=["PUT"]),
        Route("/_standin/scripts/{name}", get, methods=["GET"]),
        Route("/_standin/scripts/{name}", delete, methods=["DELETE"]),
        Route("/_standin/requests", requests, methods=["GET"]),
        Route("/_standin/requests", clear, methods=["DELETE"]),
        Route("/_standin/marks", marks, methods=["PUT"]),
    ]


def _script(script: Script, status: int) -> Response:
    return JSONResponse(script.model_dump(exclude_defaults=True), status)


def _missing() -> Response:
    return JSONResponse({"error": "there is no script of that name"}, 404)
