"""The comment that tells on a pull request how its preview is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pullwright.figures import duration
from pullwright.markdown import code, details, sentence, verbatim
from pullwright.previewing.steps import Step
from pullwright.previewing.store import SERVING
from pullwright.record import moment

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from pullwright.previewing.store import PreviewRecord

_LONGEST_LOG = 8_000
_STEPS = {
    Step.CLONE: "its commit is being fetched",
    Step.BUILD: "its build command runs",
    Step.START: "its server starts, and does not answer yet,",
    Step.HEALTH: "its server answers, and is not healthy yet,",
}
_WHEN = "%Y-%m-%d %H:%M UTC"


def marker(*, is_of_session: bool) -> str:
    """Return how the comment begins: a preview that a session left has one of its own."""
    return f"<!-- pullwright:preview{':session' if is_of_session else ''} -->"


@dataclass(frozen=True, slots=True)
class Text:
    """What is said of one preview.

    Attributes:
        sign: emoji at the beginning of its heading.
        state: in a word, or its address.
        parts: paragraphs in Markdown; empty ones are left out.
    """

    sign: str
    state: str
    parts: tuple[str, ...]

    def comment(self, begin: str, news: str = "") -> str:
        """Return the comment that says this.

        Args:
            begin: from `marker`.
            news: of a newer preview, from `news`.
        """
        return _join(begin, f"### {self.sign} Preview: {self.state}", *self.parts, news)

    def news(self) -> str:
        """Return what is said of this below an older preview that is not replaced yet."""
        return _join(f"#### {self.sign} A newer preview: {self.state}", *self.parts)


def text_of(record: PreviewRecord) -> Text:
    """Return what is said of a preview that has not ended."""
    return serving(record) if record.preview_status == SERVING else building(record)


def building(record: PreviewRecord) -> Text:
    """Return what is said while the branch is built and started."""
    asked = moment(record.started_at)
    since = "" if asked is None else f" at {asked:{_WHEN}}"
    return Text(
        "🔧",
        "building",
        (
            f"{code(record.commit[:7])} was asked for{since}.",
            _step(record, asked),
            "The address will stand here once it answers.",
        ),
    )


def _step(record: PreviewRecord, asked: datetime | None) -> str:
    """Say what a preview is at, and since when: no comment can count seconds."""
    began = moment(record.step_at)
    if record.step not in _STEPS or began is None:
        return "Its task is being started."
    after = "" if asked is None else f", {duration((began - asked).total_seconds())} after it was asked for"
    number = list(_STEPS).index(Step(record.step)) + 1
    answer = f" The load balancer says: {sentence(record.step_answer)}." if record.step_answer else ""
    return (
        f"**Step {number} of {len(_STEPS)}, {record.step}:** {_STEPS[Step(record.step)]} "
        f"since {began:%H:%M:%S} UTC{after}.{answer}"
    )


def serving(record: PreviewRecord) -> Text:
    """Return what is said while the branch is served."""
    began, healthy, end = map(moment, (record.started_at, record.healthy_at, record.ends_at))
    until = "" if end is None else f" until {end:{_WHEN}}"
    seconds = "" if began is None or healthy is None else duration((healthy - began).total_seconds())
    took = f"; it took {seconds} to be there" if seconds else ""
    ends = "A push does not renew it; it goes when the pull request is closed."
    if record.label:
        ends = (
            f"A push renews it, and it goes when the label {code(record.label)} is removed or the pull "
            "request is closed."
        )
    said = f"Serves {code(record.commit[:7])}{until}{took}. {ends}"
    return Text("🌐", f"<{record.url}>", (said, record.pictures))


def gone(*, why: str) -> Text:
    """Return what is said when the preview is not needed any more."""
    return Text("💤", "gone", (sentence(why),))


def failed(
    *, why: str, remedy: str, preview_id: str = "", log: str = "", lines: Sequence[str] | None = ()
) -> Text:
    """Return what is said when the preview could not be served.

    Args:
        preview_id: empty if it had not begun.
        log: group and stream, empty if there is none.
        lines: the last ones of the log; None if it cannot be read.
    """
    facts = [f"- {name}: {code(value)}" for name, value in (("Preview", preview_id), ("Log", log)) if value]
    return Text(
        "💥",
        "failed",
        (
            f"**What happened:** {sentence(why)}",
            f"**What you can do:** {sentence(remedy)}" if remedy else "",
            _last_lines(lines) if log else "",
            details("Details", "\n".join(facts)) if facts else "",
        ),
    )


def _last_lines(lines: Sequence[str] | None) -> str:
    if lines is None:
        return "Its log cannot be read now."
    if not lines:
        return "Its log has no lines."
    return details("The last lines of its log", verbatim("\n".join(lines), _LONGEST_LOG), is_open=True)


def _join(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)
