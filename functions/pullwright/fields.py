"""What the models of the public contracts have in common: two bases, and the forms of names and hashes."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

# Owners of GitHub's enterprise-managed accounts carry an underscore; a name of dots alone is none.
REPOSITORY_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,38}/[A-Za-z0-9._-]{0,99}[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}$"

CONVERSATION_PATTERN = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
"""Claude Code's own ids of conversations are UUIDs."""

Repository = Annotated[str, StringConstraints(pattern=REPOSITORY_PATTERN, max_length=140)]
# The largest whole number that programs can pass on in JSON: https://www.rfc-editor.org/rfc/rfc8259#section-6
Number = Annotated[int, Field(ge=1, le=2**53 - 1)]
WorkerName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,31}$")]
SessionId = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_-]{1,80}$")]
Branch = Annotated[
    str,
    StringConstraints(
        min_length=1, max_length=255, pattern=r"^[^\s~^:?*\[\\\x00-\x1f-][^\s~^:?*\[\\\x00-\x1f]*$"
    ),
]
CommitHash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40,64}$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Prompt = Annotated[str, StringConstraints(min_length=1, max_length=60_000, strip_whitespace=True)]


class Model(BaseModel):
    """A frozen model that rejects what it does not know: for what people and webhooks ask."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)


class Stored(Model):
    """A frozen model that ignores what it does not know: for what one part of ours leaves to another.

    Sessions go on while a deployment replaces functions and image, so that each may meet what the release
    before or after it wrote. New fields therefore have a default.
    """

    model_config = ConfigDict(extra="ignore")
