"""What serves a repository that has no `preview` in its configuration."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullwright.previewing.found import Server, find_server


def _found(**files: str) -> Server | None:
    named = {name.replace("__", "."): text for name, text in files.items()}
    return find_server(named, lambda path: named.get(path, ""))


def _package(**scripts: Any) -> str:
    return json.dumps({"name": "shop", "scripts": scripts})


@pytest.mark.parametrize(
    ("files", "server"),
    [
        ({"Procfile": "web: gunicorn app:app\n"}, Server("", "gunicorn app:app")),
        (
            {"Procfile": "release: ./migrate\r\nweb:  bin/serve --port $PORT \r\n"},
            Server("", "bin/serve --port $PORT"),
        ),
        ({"Procfile": "worker: celery\n"}, None),
        ({"Procfile": "# web: old\nwebsocket: x\n"}, None),
        ({"package__json": _package(start="node .")}, Server("npm install", "npm start")),
        (
            {"package__json": _package(start="next", build="next build"), "pnpm-lock__yaml": ""},
            Server("pnpm install --frozen-lockfile && pnpm run build", "pnpm start"),
        ),
        (
            {"package__json": _package(build="vite build"), "package-lock__json": "", "Procfile": "web: x"},
            Server("npm ci && npm run build", "x"),
        ),
        ({"package__json": _package(), "server__js": ""}, Server("npm install", "npm start")),
        ({"package__json": _package(test="jest")}, None),
        ({"package__json": _package(start=["node"])}, None),
        ({"package__json": "{"}, None),
        ({"package__json": "[" * 60_000}, None),
        ({"Procfile": "web: a\0b\n"}, None),
        ({"server__js": ""}, None),
        ({}, None),
    ],
)
def test_only_what_the_files_name_is_run(files: dict[str, str], server: Server | None) -> None:
    """A web process wins over a start script, the lock names the program, and no command is made up."""
    assert _found(**files) == server


@given(st.text(), st.text())
def test_any_files_are_read(procfile: str, package: str) -> None:
    """Whatever stands in them, there is a command of one line or none."""
    server = _found(Procfile=procfile, package__json=package)
    assert server is None or (server.start and not {"\n", "\0"} & set(server.start))
