"""`pullwright run --local`, from its options to its exit code."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pullwright_cli.errors import CliError
from pullwright_cli.local_sessions import model, repository
from pullwright_cli.local_sessions.session import Wanted
from pullwright_cli.local_sessions.session import run as run_session

if TYPE_CHECKING:
    from collections.abc import Mapping

_ALLOWED = "PULLWRIGHT_ALLOW_SAME_USER"


class Options(NamedTuple):
    """Options of `run` that a session on this machine takes.

    Attributes:
        output: folder for the artifacts; None for that of the person's own state, outside the checkout.
        model_url: of the Anthropic API; empty for its own.
    """

    prompt: str
    model: str
    limits: Mapping[str, float]
    output: Path | None
    image: str
    plan: bool
    stub: bool
    no_container: bool
    no_branch: bool
    model_url: str
    region: str
    profile: str


def refuse(options: Mapping[str, Any], why: str) -> None:
    """Refuse options that were given where they mean nothing.

    Raises:
        CliError: one was.
    """
    if given := [name for name, value in options.items() if value]:
        raise CliError(f"{', '.join(given)} {why}", 2)


def run_here(options: Options, *, as_json: bool) -> int:
    """Run a session of the checkout that this is called in.

    Returns:
        The session's exit code.

    Raises:
        CliError: something that it needs is missing.
    """
    if not options.prompt.strip():
        raise CliError('say what to do: pullwright run --local "PROMPT"', 2)
    checkout = repository.top_of(Path.cwd())
    wanted = Wanted(
        checkout=checkout,
        prompt=options.prompt,
        choice=model.choose(
            *(options.model, os.environ), region=options.region, profile=options.profile, stub=options.stub
        ),
        limits=options.limits,
        plan=options.plan,
        stub=options.stub,
        folder=(options.output or _state()).resolve(),
        image=options.image,
        variables=model.variables(options.model_url),
        without_container=options.no_container,
        allows_same_user=os.environ.get(_ALLOWED) == "1",
        keeps_branch=not options.no_branch,
    )
    return run_session(wanted, as_json=as_json)


def _state() -> Path:
    """Return where programs keep what is theirs: https://specifications.freedesktop.org/basedir-spec/latest/."""
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "pullwright"
