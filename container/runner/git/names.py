"""What the name of a file or folder means to the systems that check it out, and which names deceive."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# Unicode calls these letters, marks or symbols, and nothing of them is seen. All but the last three have the
# property Default_Ignorable_Code_Point; the others that have it are of the categories below.
_UNSEEN = frozenset(
    {
        *(0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180F, 0x3164, 0xFFA0),
        *range(0x180B, 0x180E),
        *range(0xFE00, 0xFE10),
        *range(0xE0100, 0xE01F0),
        *(0x2800, 0x16FE4, 0x1D159),
    }
)
# Control, format, surrogate (a byte that is no UTF-8), private, unassigned, separators other than a space.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})
# What HFS+ and NTFS take for git's own folder; git refuses the same with core.protectHFS and protectNTFS.
_GIT = re.compile(r"(?:\.git|git~\d+)[ .]*(?::.*)?", re.DOTALL)
# `GITHUB~1` is another name of `.github` on NTFS: at most eight characters, a tilde and a number.
_SHORT = re.compile(r"(?=[^.]{1,8}(?:\.|$))[^.~ ]{1,6}~[1-9]\d{0,5}(?:\.[^.]{0,3})?")
_DRIVE = re.compile(r"[A-Za-z]:")
_STREAM = re.compile(r":.*", re.DOTALL)


def is_invisible(character: str) -> bool:
    """Return whether a reader of a name sees nothing of a character; a plain space is seen between others."""
    if character == " ":
        return False
    return unicodedata.category(character) in _HIDDEN or ord(character) in _UNSEEN


@lru_cache(maxsize=1 << 18)
def same(part: str) -> str:
    """Return the form in which two names are equal if macOS or Windows takes them for one."""
    if part.isascii():
        plain = part.lower()
    else:
        seen = "".join(character for character in part if not is_invisible(character))
        plain = unicodedata.normalize("NFC", unicodedata.normalize("NFD", seen).casefold())
    return plain.rstrip(" .") or part


@lru_cache(maxsize=1 << 18)
def folded(part: str) -> str:
    """Return `same` of a name without wide characters and NTFS's streams, as some programs read it."""
    return same(_STREAM.sub("", unicodedata.normalize("NFKC", part)))


def is_git_folder(part: str) -> bool:
    """Return whether some system takes a name for git's own folder."""
    return any(
        _GIT.fullmatch(piece) or _GIT.fullmatch(same(piece)) or folded(piece) == ".git"
        for piece in part.lower().split("\\")
    )


def deceives(part: str) -> str | None:
    """Say why one part of a new path must not be pushed, to go on after the path's name."""
    if any(map(is_invisible, part)):
        return "holds control characters, or others that nobody sees"
    if part != part.strip(" ") or part.endswith("."):
        return "has a part that begins or ends with a space, or ends with a dot"
    if "\\" in part or _DRIVE.match(part):
        return "has a part that Windows takes for another folder or drive"
    if _SHORT.fullmatch(part):
        return "has a part that Windows takes for the short form of another name"
    return None
