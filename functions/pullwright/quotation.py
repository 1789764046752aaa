"""Quotes Markdown of others: rewritten, with formatting alone and nothing that has an effect.

Paragraphs, headings, lists, code, and bold, slanted and struck words stay. Links become their words and
their address, pictures likewise; tables become code; HTML and everything else is shown as it was written. The
source is not parsed as GitHub parses it: whatever is not taken for formatting here is escaped, so nothing
depends on how GitHub would have read the source, and what is made of it has one reading only.
"""

import re
from dataclasses import dataclass, field

from pullwright.effects import fitting
from pullwright.markdown import (
    Protect,
    code_span,
    fenced,
    line_start,
    plain,
    quotation,
    side_by_side,
    unprotected,
    words,
)
from pullwright.text import visible

_FENCE = re.compile(r"^(?P<indent>\s*)(?P<fence>`{3,}|~{3,})\s*(?P<language>[^`\s]*)[^`]*$")
_TABLE_ROW = re.compile(r"^\s*\|")
_RULE = re.compile(r"^\s*([-*_])(?:\s*\1){2,}\s*$")
_HEADING = re.compile(r"^\s{0,3}(#{1,6})(?:\s+(.*?))?(?:\s+#+)?\s*$")
_ITEM = re.compile(r"^(?P<indent>\s*)(?:[-*+]|(?P<number>\d{1,9})[.)])\s+(?P<text>.*)$")
_BOX = re.compile(r"^(?:\[([ xX])\]|([☐☑]))\s+")
_SPAN = re.compile(
    r"""
    (?P<escape> \\[!-/:-@\[-`{-~] )
    | (?<!`)(?P<fence>`{1,8})(?!`)(?P<code>.{1,2000}?)(?<!`)(?P=fence)(?!`)
    | !?\[(?P<label>[^\[\]]{0,500})\]\(\s*(?:<(?P<angled>[^<>]{0,2000})>|(?P<target>[^\s()<>`]{0,2000}))
      (?:\s+(?:"[^"]{0,500}"|'[^']{0,500}'))?\s*\)
    | <(?P<address>[a-z][a-z0-9+.-]{1,31}:[^\s<>`]{0,2000})>
    | (?<![^\s(])(?P<sign>\*\*|__|~~|\*|_)(?=[^\s*_~])(?P<marked>(?:\\.|[^\\*_~`]|`[^`]{1,300}`){1,500}?)
      (?<=[^\s*_~\\])(?P=sign)(?=[.,;:!?)]*(?:\s|$))
    """,
    re.IGNORECASE | re.VERBOSE,
)
# Others are drawn by the reader's browser, or can be applied by a click.
_LANGUAGES = re.compile(
    "bash|c|console|cpp|css|diff|go|html|java|javascript|js|json|jsx|kotlin|php|py|python|rb|ruby|rust|sh|shell"
    "|sql|swift|text|toml|ts|tsx|typescript|xml|yaml|yml"
)
_HIGHEST_HEADING = 4
_SIGNS = {"**": "**", "__": "**", "*": "*", "_": "*", "~~": "~~"}
_CUT = "\n\n… (shortened)"


def quote(text: str, longest: int, protect: Protect = unprotected) -> str:
    """Return Markdown of others as a quotation.

    Args:
        longest: the result has at most so many characters.
        protect: what becomes of code; GitHub acts upon nothing there, unless it becomes a commit's message.
    """
    return fitting(lambda part: quotation(_Writer(protect).write(visible(part))), text, longest, _CUT)


@dataclass
class _Writer:
    """Writes line by line; some lines depend on the one before."""

    protect: Protect
    lines: list[str] = field(default_factory=list)
    in_list: bool = False

    def write(self, text: str) -> list[str]:
        source = text.split("\n")
        at = 0
        while at < len(source):
            if opened := _FENCE.match(source[at]):
                at = self._code(source, at, opened)
            elif _TABLE_ROW.match(source[at]):
                at = self._table(source, at)
            else:
                self._line(source[at])
                at += 1
        while self.lines and not self.lines[-1]:
            self.lines.pop()
        return self.lines

    def _code(self, source: list[str], at: int, opened: re.Match[str]) -> int:
        closing = re.compile(rf"^\s*{opened['fence'][0]}{{{len(opened['fence'])},}}\s*$")
        end = next((n for n in range(at + 1, len(source)) if closing.match(source[n])), len(source))
        indent = len(opened["indent"])
        content = [line[min(indent, len(line) - len(line.lstrip())) :] for line in source[at + 1 : end]]
        language = opened["language"].lower()
        self._block("\n".join(content), language if _LANGUAGES.fullmatch(language) else "text")
        return end + 1

    def _table(self, source: list[str], at: int) -> int:
        end = next((n for n in range(at, len(source)) if not _TABLE_ROW.match(source[n])), len(source))
        self._block("\n".join(line.strip() for line in source[at:end]), "text")
        return end

    def _block(self, content: str, language: str) -> None:
        self._separate()
        self.lines += fenced(self.protect(content), language)
        self.in_list = False

    def _separate(self) -> None:
        if self.lines and self.lines[-1]:
            self.lines.append("")

    def _line(self, line: str) -> None:
        if not line.strip():
            self._separate()
        elif _RULE.match(line):
            self._separate()
            self.lines.append("***")
            self.in_list = False
        elif heading := _HEADING.match(line):
            self._separate()
            level = "#" * max(_HIGHEST_HEADING, len(heading[1]))
            self._add(f"{level} ", self._spans(heading[2] or "").strip())
            self.in_list = False
        elif item := _ITEM.match(line):
            self._item(item)
        else:
            indent = line[: len(line) - len(line.lstrip())] if self.in_list else ""
            self.in_list = self.in_list and bool(indent)
            self._add(indent, line_start(self._spans(line.strip())))

    def _add(self, start: str, text: str) -> None:
        if text:
            self.lines.append(start + text)
        else:
            self._separate()

    def _item(self, item: re.Match[str]) -> None:
        box = _BOX.match(item["text"])
        checked = "" if box is None else "☑ " if (box[1] or "").strip() or box[2] == "☑" else "☐ "
        text = self._spans(item["text"][box.end() if box else 0 :].strip())
        mark = f"{item['number']}." if item["number"] else "-"
        indent = item["indent"] if self.in_list else ""
        self._add(f"{indent}{mark} ", checked + text if checked else line_start(text))
        self.in_list = True

    def _spans(self, line: str) -> str:
        pieces: list[str] = []
        at = 0
        for match in _SPAN.finditer(line):
            if match["escape"]:
                continue
            pieces += (words(line[at : match.start()], self.protect), self._span(match))
            at = match.end()
        return side_by_side(*pieces, words(line[at:], self.protect))

    def _span(self, match: re.Match[str]) -> str:
        if match["code"]:
            return code_span(self.protect(match["code"]))
        if match["sign"]:
            sign = _SIGNS[match["sign"]]
            marked = plain(match["marked"], self.protect)
            return f"{sign}{marked}{sign}" if marked else ""
        label = match["label"] or ""
        address = match["angled"] or match["target"] or match["address"] or ""
        shown = code_span(self.protect(address.replace("`", "")))
        if not label or label == address:
            return shown
        return f"{plain(label, self.protect)} ({shown})" if shown else plain(label, self.protect)
