"""A canary: one stub session, which goes through the whole pipeline without a model, and its verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from rich.console import Console

from pullwright import errors
from pullwright_cli.deploying.sam import show
from pullwright_cli.details import details
from pullwright_cli.starting import asked_for
from pullwright_cli.stopping import stop_one
from pullwright_cli.terminal import print_json
from pullwright_cli.waiting import exit_code
from pullwright_cli.watch import Watch

if TYPE_CHECKING:
    from pullwright_cli.aws import Stack
    from pullwright_cli.starting import Start

_PROMPT = "A canary: a session without a model, which shows that this deployment works."


class Verdict(NamedTuple):
    """What came of a canary.

    Attributes:
        sentence: what went wrong; empty after success.
        image_digest: of the image that its task ran; empty if no task did.
    """

    session: str
    succeeded: bool
    sentence: str
    image_digest: str
    pull_request: str


def planned(stack: Stack, repository: str, issue: int | None, image: str = "") -> Start:
    """Return the session that judges.

    Args:
        issue: an issue kept for this, whose pull request is used again; None for a new one each time.
        image: tag of the image that it runs; empty for the release's own.

    Raises:
        CliError: the repository's name or the issue is none.
    """
    subject: dict[str, Any] = {"prompt": _PROMPT} if issue is None else {"issue": issue}
    return asked_for(stack, {"repository": repository, "stub": True, "image": image, **subject})


def judge(start: Start, minutes: float) -> Verdict:
    """Run it to its end; one that takes too long is stopped, and has failed.

    Args:
        minutes: how long it may take.
    """
    show(start.as_line())
    session = start.begin()
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    try:
        status = Watch(console, session).until_end(minutes)
    except TimeoutError:
        stop_one(session)
        sentence = f"It had not ended after {minutes:g} minutes."
        return Verdict(session.id, succeeded=False, sentence=sentence, image_digest="", pull_request="")
    found = details(start.stack, session.id)
    record = found["record"] or {}
    execution = found["execution"] or {}
    succeeded = exit_code(found, status) == 0
    sentence = record.get("sentence") or execution.get("cause") or status
    return Verdict(
        session.id,
        succeeded,
        "" if succeeded else str(sentence),
        str(record.get("image_digest") or ""),
        str(record.get("pull_request_url") or record.get("pull_request") or ""),
    )


def asked(start: Start, minutes: float, *, what_became: str, dry_run: bool, as_json: bool) -> Verdict | None:
    """Run a canary that a command asks for, or print the call alone.

    Args:
        what_became: of what is judged if it fails, a sentence.

    Returns:
        The verdict, to be told; None if it, or the call, was printed.

    Raises:
        CanaryFailed: it did not succeed.
    """
    if dry_run and not as_json:
        print(start.as_line())
        return None
    if dry_run:
        print_json(start.as_json())
        return None
    verdict = judge(start, minutes)
    if not verdict.succeeded:
        raise failed(verdict, what_became)
    if as_json:
        print_json(verdict._asdict())
        return None
    return verdict


def failed(verdict: Verdict, what_became: str) -> errors.CanaryFailed:
    """Return the error of a canary that did not succeed.

    Args:
        what_became: of the release, a sentence.
    """
    return errors.CanaryFailed(
        f"The canary {verdict.session} failed: {verdict.sentence.rstrip('.')}. {what_became}".rstrip(),
        remedy=f"See why with `pullwright show {verdict.session}`; mend it and deploy again.",
    )
