"""Takes the effect out of words that GitHub, git and their companions act upon; they read as before.

Titles and commit messages are ordinary text: what stands there is broken by an invisible character, or loses
the sign that makes it work. A squashed merge puts title and description into a commit's message.
"""

import re
import textwrap
from collections.abc import Callable

from pullwright.text import one_line

ZERO_WIDTH = "\u200b"
ELLIPSIS = "…"

# Broken after the match. https://docs.github.com/en/get-started/writing-on-github/working-with-advanced-formatting/autolinked-references-and-urls
_ACTIVE = re.compile(
    r"""
    @ | \#                              # mentions, references, and commands to tools such as #major
    | (?<![0-9a-z])GH(?=-\d)            # references in an older form
    | :(?=//) | \bwww(?=\.)             # addresses: of an issue, one is a reference
    | (?<![\w./~-])/(?=[a-z])           # commands in comments
    | (?<=\[)!                          # the heading of an alert
    | \+semver(?=\s*:)                  # https://gitversion.net/docs/reference/version-increments
    | BREAKING(?=[\s-]+CHANGE)        # https://www.conventionalcommits.org/en/v1.0.0/#specification
    | RELEASE(?=-AS)                    # https://github.com/googleapis/release-please
    | (?:BEGIN|END)(?=_(?:COMMIT_OVERRIDE|NESTED_COMMIT))
    """,
    re.IGNORECASE | re.VERBOSE,
)
# A commit's hash, or the beginning of one, is a link from seven digits on.
_HASH = re.compile(r"(?<![0-9A-Za-z_])[0-9a-f]{7,40}(?![0-9A-Za-z_])", re.IGNORECASE)
_HASH_PIECE = 6

# Merging closes what a commit, or the title of a squashed pull request, names after one of these words.
# https://docs.github.com/en/issues/tracking-your-work-with-issues/using-issues/linking-a-pull-request-to-an-issue
_CLOSING = re.compile(
    r"\b(close[sd]?|fix(?:e[sd])?|resolve[sd]?)(?:\s*:\s*|\s+|(?=#))"
    r"(?=\S{0,300}#\d|\S{0,300}/(?:issues|pull|discussions)/\d|\W{0,9}gh-\d)",
    re.IGNORECASE,
)
# https://docs.github.com/en/actions/how-tos/manage-workflow-runs/skip-workflow-runs; other systems have words
# of their own in the same brackets, and Azure Pipelines has asterisks.
_BRACKETS = re.compile(r"\[([^\[\]]*)\]")
_SKIPPING = re.compile(r"skip|(?<![a-z])no(?![a-z])|noci", re.IGNORECASE)
_BETWEEN_STARS = re.compile(r"(?<![\s*])([\s*]++)(no[\s_-]*ci)([\s*]++)", re.IGNORECASE)
# Who else wrote or signed something is for people to say, and tools read a commit's last lines in this form.
# https://git-scm.com/docs/git-interpret-trailers
_TRAILER = re.compile(
    r"(?<![a-z0-9-])((?:[a-z0-9]+-)+[a-z0-9]+|breaking\s+change)\s*:(?!//)[\s:]*", re.IGNORECASE
)
# `feat!:` is a breaking change; git itself folds a `fixup!` into another commit.
_URGENT = re.compile(r"(?<=[\w)])\s*!+(?=\s*:)|(?<=\bfixup)!+|(?<=\bsquash)!+|(?<=\bamend)!+", re.IGNORECASE)
# A line of hyphens ends a message for git.
_DIVIDER = re.compile(r"-{3,}")
_FIRST_TOKEN = re.compile(r"^([a-z0-9-]+)\s*:[\s:]*(?!/|\u200b/)", re.IGNORECASE | re.MULTILINE)


def inert(text: str) -> str:
    """Break mentions, references, addresses, hashes and commands by an invisible character."""
    text = _HASH.sub(_in_pieces, text)
    return _ACTIVE.sub(lambda match: match[0] + ZERO_WIDTH, text)


def without_effect(text: str) -> str:
    """Return one line that closes, skips, notifies and links nothing, and is no trailer.

    Args:
        text: ordinary text. A line that this function has made stays as it is.
    """
    line = one_line(text, max(1, len(text)))
    while (changed := _without_signs(line)) != line:
        line = changed
    return inert(line)


def committed(code: str) -> str:
    """Return lines of code for a commit's message, where they are ordinary text; indentation stays."""
    lines = code.split("\n")
    return "\n".join(line[: len(line) - len(line.lstrip())] + without_effect(line) for line in lines)


def paragraph(text: str, width: int, longest: int) -> str:
    """Return a paragraph of a commit's message, no line of which is a trailer or ends the message."""
    line = without_effect(_DIVIDER.sub("--", text))
    filled = textwrap.fill(
        textwrap.shorten(line, longest, placeholder=f" {ELLIPSIS}"), width, break_long_words=False
    )
    return _FIRST_TOKEN.sub("\\1 \u2013 ", filled)


def fitting(
    render: Callable[[str], str], text: str, longest: int, cut: str = ELLIPSIS, *, keeps_end: bool = False
) -> str:
    """Return a converted text, of which so much is left out that the result is not too long.

    Args:
        render: makes the text harmless, which may make it longer.
        cut: what stands for the part that was left out.
        keeps_end: the beginning is left out, and not the end.
    """
    # Rendering removes what cannot be seen, so more may fit than has room.
    kept = min(len(text), 4 * max(0, longest))
    rendered = render(text[-kept or len(text) :] if keeps_end else text[:kept])
    while len(rendered) > longest:
        kept = min(kept - 1, kept * longest // len(rendered))
        if kept < 1:
            return ""
        rendered = render(cut + text[-kept:] if keeps_end else text[:kept].rstrip() + cut)
    return rendered


def _without_signs(line: str) -> str:
    line = _BRACKETS.sub(lambda match: match[1] if _SKIPPING.search(match[1]) else match[0], line)
    line = _BETWEEN_STARS.sub(_without_stars, line)
    line = _URGENT.sub("", line)
    line = _TRAILER.sub(r"\1 ", _CLOSING.sub(r"\1 issue ", line))
    return " ".join(line.split())


def _without_stars(match: re.Match[str]) -> str:
    before, _, after = match.groups()
    if "*" not in before or "*" not in after:
        return match[0]
    return match[0].replace("*", "")


def _in_pieces(match: re.Match[str]) -> str:
    text = match[0]
    return ZERO_WIDTH.join(text[at : at + _HASH_PIECE] for at in range(0, len(text), _HASH_PIECE))
