"""Names of hosts: one label of the DNS for a branch or a session.

https://www.rfc-editor.org/rfc/rfc1035#section-2.3.1: letters, digits and dashes, no dash at either end, 63
characters. Two dashes in the third and fourth place are for names in other scripts
(https://www.rfc-editor.org/rfc/rfc5890#section-2.3.1), so no label has two dashes in a row.
"""

import hashlib
import re
import unicodedata

LABEL_LENGTH = 63
HASH_LENGTH = 8
_OTHER = re.compile(r"[^a-z0-9]+")


def host_label(text: str, *, is_taken: bool = False, subject: str = "") -> str:
    """Return the label for a text.

    It ends with a hash of the text when something is lost that tells the text from others: what is beyond the
    length, and letters and digits that have no form in ASCII. Texts that differ by case, accents or
    punctuation alone have the same label, until that is taken.

    Args:
        text: such as a prefix and a branch's name, or a session's id.
        is_taken: whether another text has the plain label.
        subject: what the hash is of in place of the text, where several may have the same text.
    """
    parts = unicodedata.normalize("NFKD", text)
    decomposed = "".join(part for part in parts if not unicodedata.combining(part))
    plain = _OTHER.sub("-", decomposed.lower()).strip("-")
    is_lossy = any(character.isalnum() and not character.isascii() for character in decomposed)
    if plain and not is_lossy and not is_taken and len(plain) <= LABEL_LENGTH:
        return plain
    digest = hashlib.sha256((subject or text).encode("utf-8", "surrogatepass")).hexdigest()[:HASH_LENGTH]
    head = plain[: LABEL_LENGTH - HASH_LENGTH - 1].strip("-")
    return f"{head}-{digest}" if head else digest
