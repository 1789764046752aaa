"""What the agent of a session that only comments has found: a public contract like `pullwright.models`."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from pullwright.fields import Stored

MOST_FINDINGS = 30
"""So many are kept, the gravest first."""
MOST_ANSWERED = 200
LONGEST_PATH = 1_000
_LONGEST_TEXT = 10_000
LONGEST_SUMMARY = 60_000
_LAST_LINE = 10_000_000

Side = Literal["LEFT", "RIGHT"]
Severity = Literal["high", "medium", "low"]
FindingId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]
SEVERITIES: tuple[Severity, ...] = ("high", "medium", "low")


class Remark(Stored):
    """One thing that the agent has found, as it says it.

    Attributes:
        path: of the file, from the repository's root.
        line: the last line that it is about, counted from 1 in the version that `side` names.
        start_line: the first of several lines.
        side: `RIGHT` is the file as the pull request has it, `LEFT` as it was before.
        text: Markdown.
        suggestion: what the lines become if somebody accepts it; the whole lines, on the right side only.
    """

    path: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_PATH)]
    line: int = Field(ge=1, le=_LAST_LINE)
    start_line: int | None = Field(default=None, ge=1, le=_LAST_LINE)
    side: Side = "RIGHT"
    severity: Severity = "medium"
    text: Annotated[str, StringConstraints(min_length=1, max_length=_LONGEST_TEXT, strip_whitespace=True)]
    suggestion: Annotated[str, StringConstraints(max_length=_LONGEST_TEXT)] | None = None

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if self.start_line is not None and self.start_line > self.line:
            raise ValueError("start_line must not be after line")
        return self

    @property
    def first_line(self) -> int:
        """The first line that it is about."""
        return self.line if self.start_line is None else self.start_line


class Finding(Remark):
    """A remark that is known again when the same is found in a later commit.

    Attributes:
        id: hash of the file's path and the lines that it is about; where these stand does not matter.
    """

    id: FindingId


class Answer(Stored):
    """What the agent answers in the end, as one JSON object.

    Attributes:
        summary: for people, Markdown.
        resolved: ids of earlier findings that the pull request has dealt with.
    """

    summary: Annotated[str, StringConstraints(max_length=LONGEST_SUMMARY)] = ""
    findings: tuple[Remark, ...] = Field(max_length=MOST_ANSWERED, strict=False)
    resolved: tuple[str, ...] = Field(default=(), max_length=MOST_ANSWERED, strict=False)


class Findings(Stored):
    """`sessions/<id>/findings.json`: what came of a session that only comments.

    Attributes:
        head_commit: the commit that was read.
        left_out: how many more there were.
    """

    schema_version: Literal[1] = 1
    session_id: str
    head_commit: str
    findings: tuple[Finding, ...] = Field(default=(), max_length=MOST_FINDINGS, strict=False)
    left_out: int = Field(default=0, ge=0)
    resolved: tuple[FindingId, ...] = Field(default=(), max_length=MOST_ANSWERED, strict=False)
