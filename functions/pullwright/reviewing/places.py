"""Where a comment may stand: GitHub takes it only for a line that a hunk of the difference shows.

Lines of context count as well, and several lines must be of one hunk; one wrong place makes GitHub refuse the
whole review. https://docs.github.com/en/rest/pulls/comments#create-a-review-comment-for-a-pull-request,
https://github.com/parkerbxyz/suggest-changes/issues/64, https://github.com/qiniu/reviewbot/issues/179
"""

import re
from collections.abc import Iterable, Iterator

from pullwright.github.reviews import ChangedFile
from pullwright.reviewing.models import Finding, Side

_HUNK = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")

# Number of the hunk, by side and line.
_Shown = dict[tuple[Side, int], int]


class Places:
    """The lines that a pull request's difference shows.

    Args:
        files: as GitHub lists them for the commit that is commented on.
    """

    def __init__(self, files: Iterable[ChangedFile]) -> None:
        self._files: dict[str, _Shown] = {file.filename: dict(_lines(file.patch or "")) for file in files}

    def fitting(self, finding: Finding) -> Finding | None:
        """Return a finding as it can be commented on; None if the difference does not show its last line.

        One that begins before its hunk is about its last line alone, and then suggests nothing.
        """
        shown = self._files.get(finding.path, {})
        hunk = shown.get((finding.side, finding.line))
        if hunk is None:
            return None
        if finding.side == "LEFT":
            finding = finding.model_copy(update={"suggestion": None})
        if finding.first_line == finding.line:
            return finding.model_copy(update={"start_line": None})
        if shown.get((finding.side, finding.first_line)) != hunk:
            return finding.model_copy(update={"start_line": None, "suggestion": None})
        return finding


def _lines(patch: str) -> Iterator[tuple[tuple[Side, int], int]]:
    left = right = hunk = 0
    for line in patch.split("\n"):
        if header := _HUNK.match(line):
            left, right, hunk = int(header[1]), int(header[2]), hunk + 1
        elif line.startswith("\\"):
            # There is no line end at the end of the file.
            continue
        else:
            if not line.startswith("+"):
                yield ("LEFT", left), hunk
                left += 1
            if not line.startswith("-"):
                yield ("RIGHT", right), hunk
                right += 1
