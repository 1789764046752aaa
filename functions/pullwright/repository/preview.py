"""`preview` in a repository's configuration: how its branches run as previews."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints, field_validator

from pullwright.repository.commands import Command, Seconds
from pullwright.repository.document import Part

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_OURS = re.compile(r"HOST|PORT|PATH|HOME|AWS_.*|ECS_.*|PULLWRIGHT_.*|PREVIEW_.*")
_MOST_VARIABLES = 50
# Two slashes, or one and a backslash, begin the name of a host to a browser; what follows # is never sent:
# https://url.spec.whatwg.org/#relative-slash-state
_PATH = re.compile(r"/(?![/\\])[!-\"$-~]*")


# https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html: 1,024
# characters of the path; what is not in ASCII is written with percent signs.
def _is_path(text: str) -> str:
    if not _PATH.fullmatch(text):
        raise ValueError(
            "must begin with one / and have visible ASCII without # only; write other characters as %C3%BC"
        )
    return text


UrlPath = Annotated[str, StringConstraints(max_length=1_024), AfterValidator(_is_path)]


class Preview(Part):
    """How a branch is built and served; what is left out is found in the repository, or has a default.

    Attributes:
        build: run once before `start`.
        start: the server; it listens on `HOST` and `PORT` of its environment.
        port: what `PORT` is.
        health: the path that answers with a status from 200 to 399 when the server is ready.
        start_timeout: seconds that build and start may take together until then.
        env: variables of both commands besides the platform's.
        hours: how long a preview runs; the operator's limit holds above it.
        after_session: whether a session that changed something leaves a preview.
        screenshots: paths of which pictures are taken.
    """

    build: Command | None = None
    start: Command | None = None
    port: Annotated[int, Field(strict=True, ge=1_024, le=65_535)] = 8_080
    health: UrlPath = "/"
    start_timeout: Seconds = 600
    env: dict[str, Annotated[str, StringConstraints(max_length=4_000)]] = Field(
        default_factory=dict, max_length=_MOST_VARIABLES
    )
    hours: Annotated[int, Field(strict=True, ge=1, le=168)] | None = None
    after_session: Annotated[bool, Field(strict=True)] = False
    screenshots: tuple[UrlPath, ...] = Field(default=(), max_length=10)

    @field_validator("env")
    @classmethod
    def _names_are_free(cls, variables: dict[str, str]) -> dict[str, str]:
        for name in variables:
            if not _VARIABLE.fullmatch(name):
                raise ValueError(
                    f"has {name[:100]}, which is no name of a variable: use letters, digits and _"
                )
            if _OURS.fullmatch(name):
                raise ValueError(f"has {name}, which the platform sets: choose another name")
        return variables
