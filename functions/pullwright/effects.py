"""Takes the effect out of words that GitHub and git act upon in commits and in titles, which become some."""

import re

# Merging closes what a commit, or the title of a squashed pull request, names after one of these words.
# https://docs.github.com/en/issues/tracking-your-work-with-issues/using-issues/linking-a-pull-request-to-an-issue
_CLOSING = re.compile(
    r"\b(close[sd]?|fix(?:e[sd])?|resolve[sd]?)(?:\s*:\s*|\s+|(?=#))"
    r"(?=\S*#\d|\S*/(?:issues|pull)/\d|\W*gh-\d)",
    re.IGNORECASE,
)
# https://docs.github.com/en/actions/how-tos/manage-workflow-runs/skip-workflow-runs
_SKIPPING = re.compile(
    r"\[\s*((?:skip|no)\s+ci|ci\s+skip|(?:skip\s+actions|actions\s+skip))\s*\]", re.IGNORECASE
)
# Who else wrote or signed something is for people to say, which session it was for us, and tools that make
# releases read the last one. https://git-scm.com/docs/git-interpret-trailers,
# https://www.conventionalcommits.org/en/v1.0.0/#specification
_TRAILER = re.compile(
    r"\b((?:[a-z]+-)+by|pullwright-[a-z-]+|change-id|breaking[ -]change)\s*:", re.IGNORECASE
)


def without_effect(line: str) -> str:
    """A line that closes no issue, skips no checks, notifies nobody and is no trailer; it reads as before.

    Args:
        line: of ordinary text.
    """
    line = _SKIPPING.sub(r"\1", line)
    line = _TRAILER.sub(r"\1", _CLOSING.sub(r"\1 issue ", line))
    return line.replace("@", "@\u200b")
